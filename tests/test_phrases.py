"""Blanks are filled with an alert's own values, and no value can become syntax."""

import shlex
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.domain.phrases import Phrase, Values
from tests.views import view


def values(called: str, expr: str = "", /, **labels: str) -> Values:
    """The values of an alert."""
    return Values(view(called, expr, {}, **labels))


@pytest.mark.parametrize(
    ("phrase", "labels", "plain"),
    [
        ("look at {instance}", {"instance": "a:1"}, "look at a:1"),
        ("look at {pod|instance}", {"instance": "a:1"}, "look at a:1"),
        ('look at {pod|"the pod"}', {}, "look at the pod"),
        ("look at {pod}", {}, None),
        ("{name} of {subject}", {"job": "x"}, "Down of x"),
        ("{fact.missing}", {}, None),
        ("{label.name} of {label.missing|name}", {"name": "nginx.service"}, "nginx.service of Down"),
        ('curl -w "%{http_code}" {instance} ${x}', {"instance": "a:1", "x": "1"}, 'curl -w "%{http_code}" a:1 ${x}'),
        ("awk '{print $1}' {.items} {{x}} { }", {"x": "1"}, "awk '{print $1}' {.items} {1} { }"),
        ("on {instance}", {"instance": "a\n\x1b[31mb\u202ec"}, "on a [31mb c"),
        ("on {instance}", {"instance": "x" * 9999}, "on " + "x" * 300),
        ("{instance.host}", {"instance": "db-1:9100"}, "db-1"),
        ("{instance.host}", {"instance": "redis://u@db-1:6379/0"}, "db-1"),
        ("{instance.host}", {"instance": "[::1]:9100"}, "[::1]"),
        ("{target.host}", {"target": "https://shop.example.org/health"}, "shop.example.org"),
        ("{instance.host}", {"instance": "two words"}, None),
        ("{instance.host}", {}, None),
        ("look at {pod}", {"pod": "{{ $labels.pod }}"}, None),
        ("look at {pod|instance}", {"pod": "$pod", "instance": "i"}, "look at i"),
    ],
)
def test_plain_texts(phrase, labels, plain):
    assert Phrase.of(phrase).plain(values("Down", **labels)) == plain


@pytest.mark.parametrize(
    ("phrase", "value", "shell"),
    [
        ("ls {pod}", "a-b.c:1/d", "ls a-b.c:1/d"),
        ("ls {pod}", "a b", "ls 'a b'"),
        ("ls {pod}", "a; rm -rf /", "ls 'a; rm -rf /'"),
        ("ls {pod}", "$(id)", "ls '$(id)'"),
        ("ls {pod}", "-rf", None),
        ("ls '{pod}'", "a'b", None),
        ("psql -c \"select '{pod}'\"", "x' or '1'='1", None),
        ("psql -c \"select '{pod}'\"", "shop", "psql -c \"select 'shop'\""),
        ('up{job="{pod}"}', "$x", None),
    ],
)
def test_commands(phrase, value, shell):
    assert Phrase.of(phrase).shell(values("Down", pod=value)) == shell


@settings(max_examples=500, deadline=None)
@given(st.text(min_size=1, max_size=40))
def test_no_value_ever_becomes_shell_syntax_or_an_option(value):
    alert = values("Down", pod=value)
    bare = Phrase.of("show {pod} end").shell(alert)
    if bare is not None:
        words = shlex.split(bare)
        assert (words[0], words[-1], len(words)) == ("show", "end", 3)
        assert not words[1].startswith("-")
    for quoted in ("show 'a {pod} b' end", 'show "a {pod} b" end'):
        filled = Phrase.of(quoted).shell(alert)
        if filled is not None:
            assert len(shlex.split(filled)) == 3
            assert not set(filled.removeprefix("show").removesuffix("end")[3:-2]) & set("'\"`$\\!")


def test_links_are_web_addresses_with_values_encoded():
    alert = values("Down", pod="a/b?c=d e")
    assert Phrase.of("https://x.example.org/{pod}").url(alert) == "https://x.example.org/a%2Fb%3Fc%3Dd%20e"
    assert Phrase.of("javascript:{pod}").url(alert) is None


@pytest.mark.parametrize(
    ("server", "link"),
    [
        ("https://p.example.org:9090/x", "https://p.example.org:9090/x/graph?q=a%20b"),
        ("javascript:alert(1)//https://p", None),
        ("https://p.example.org/?a=", None),
        ('https://p.example.org/"onclick=', None),
        ("//p.example.org", None),
    ],
)
def test_a_link_may_begin_with_an_address_but_with_nothing_else(server, link):
    alert = values("Down", address=server, path="a b")
    assert Phrase.of("{address}/graph?q={path}").url(alert) == link
    assert Phrase.of("x{address}").url(alert) is None


def test_an_expression_is_whole_or_not_there():
    assert Phrase.of("{expr}").shell(values("Down", 'up{job="a b"} == 0')) == "'up{job=\"a b\"} == 0'"
    assert Phrase.of("{expr}").shell(values("Down", "a + " * 600 + "a > 1")) is None


NASTY = [
    "a b", "$(touch pwned)", "`touch pwned`", "; touch pwned", "| touch pwned", "&& touch pwned", "> pwned", "a'b",
    'a"b', "\\", "'; touch pwned; '", '"; touch pwned; "', "$HOME", "~", "*", "!!", "-rf", "--help", "=ls", "{a,b}",
    "a@b.c", "#x", "\n touch pwned", "'$(touch pwned)'", "%s", "a=b", "\u2028", "é", "$'\\x41'", "\\'",
    "\\$(touch pwned)",
]  # fmt: skip


@pytest.mark.parametrize(
    ("phrase", "around"),
    [
        ("printf '%s\\0' {pod} end", ("", "")),
        ("printf '%s\\0' 'in {pod} it' end", ("in ", " it")),
        ('printf "%s\\0" "in {pod} it" end', ("in ", " it")),
        # the apostrophe and the quotation mark inside other quotes begin nothing
        ("printf '%s\\0' \"it's\" 'in {pod} it' end", ("in ", " it")),
        ("printf '%s\\0' it\\'s 'in {pod} it' end", ("in ", " it")),
        ("printf '%s\\0' 'a\"b' \"in {pod} it\" end", ("in ", " it")),
    ],
)
def test_a_real_shell_takes_every_value_as_one_plain_word(tmp_path, phrase, around):
    scripts = {value: Phrase.of(phrase).shell(values("Down", pod=value)) for value in NASTY}
    for value, script in scripts.items():
        if script is None:
            continue
        done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, check=True)
        words = done.stdout.decode().split("\0")
        assert words[-3:] == [f"{around[0]}{' '.join(value.split())}{around[1]}", "end", ""]
    assert list(tmp_path.iterdir()) == []
    assert any(scripts.values())


@pytest.mark.parametrize(
    "phrase",
    [
        "ssh {instance} {pod}",
        "bash -c 'x' {pod}",
        "eval {pod}",
        "watch -n1 ls {pod}",
        "cat <<X\n{pod}\nX",
        "echo `ls {pod}`",
    ],
)
def test_where_a_second_shell_reads_only_plain_values_are_filled_in(phrase):
    assert Phrase.of(phrase).shell(values("Down", instance="h-1", pod="$(id)")) is None
    assert "p-1" in (Phrase.of(phrase).shell(values("Down", instance="h-1", pod="p-1")) or "")


@pytest.mark.parametrize(
    "hidden", ["\u202e", "\u2066", "\u200f", "\u061c", "\u200b", "\ufeff", "\x1b", "\x9b", "\x00", "\u2028"]
)
def test_what_cannot_be_seen_is_not_filled_in(hidden):
    assert Phrase.of("on {pod} now").plain(values("Down", pod=f"a{hidden}b")) == "on a b now"


def test_what_a_sender_calls_query_is_not_the_rules_promql() -> None:
    alert = view("Slow")
    alert.facts |= {"query": "SELECT 1"}
    assert Phrase.of("{query}").plain(Values(alert)) is None
    assert Phrase.of("{fact.query}").plain(Values(alert)) == "SELECT 1"
    read = view("Slow", "up == 0", instance="a")
    read.facts |= {"query": "SELECT 1"}
    assert Phrase.of("{query}").promql(Values(read)) == 'up{instance="a"}'


@pytest.mark.parametrize(
    ("command", "value"),
    [
        ("Get-WinEvent -ComputerName {pod}", "web\u2019;Stop-Computer;\u2019"),
        ("Invoke-Command -ComputerName {pod} { Start-Service x }", "a,b"),
        ("powershell -Command {pod}", "@x"),
        ("psql -h db-1 -d {pod} -c 'select 1'", "host=evil dbname=x"),
        ("psql -h db-1 --dbname={pod} -c 'select 1'", "postgres://evil/x"),
        ('psql -c "vacuum {pod}"', "a,users"),
        ('psql -c "vacuum {pod}"', "a=b"),
        ("ssh {pod} uptime", "a b"),
        ("ls {pod}", "x" * 400),
        ("psql -c 'EXPLAIN '{pod}", "select " + "x" * 400),
    ],
)
def test_what_another_reader_could_take_for_more_than_a_name_is_left_out(command, value):
    assert Phrase.of(command).shell(values("Down", pod=value)) is None


@pytest.mark.parametrize(
    "command", ["Get-WinEvent -ComputerName {pod}", "psql -d {pod}", 'psql -c "vacuum {pod}"', "ssh {pod} w"]
)
def test_names_are_filled_in_everywhere(command):
    assert Phrase.of(command).shell(values("Down", pod="db-1.example.org")) == command.replace(
        "{pod}", "db-1.example.org"
    )


@pytest.mark.parametrize(
    ("query", "value", "filled"),
    [
        ('foo{job="watch"} > {pod}', "0 or vector(1)", None),
        ('foo{job="watch"} > {pod}', "12.5", 'foo{job="watch"} > 12.5'),
        ('x{a="{pod}"}', 'b"} or y{c="', 'x{a="b\\"} or y{c=\\""}'),
        ('x{a=~"{pod}"}', "api|.*", 'x{a=~"api\\\\|\\\\.\\\\*"}'),
        ('x{a!~"{pod}"}', "a(b", 'x{a!~"a\\\\(b"}'),
        ('x{a="{pod}"}', "b\\", 'x{a="b\\\\"}'),
        ("x{a='{pod}'}", "b", "x{a='b'}"),
        ("x{a='{pod}'}", "b c", None),
        ("{pod}", "up or down", None),
        ('x{a="{pod}"}', "x" * 400, None),
    ],
)
def test_values_are_text_in_a_query_whatever_stands_around(query, value, filled):
    assert Phrase.of(query).promql(values("Down", pod=value)) == filled


def test_a_comment_does_not_swallow_what_follows_it():
    assert Phrase.of("{expr}").plain(values("X", "up # it is down\n== 0")) == "up   == 0"
