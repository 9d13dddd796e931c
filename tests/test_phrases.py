"""Blanks are filled with an alert's own values, and no value can become syntax."""

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.domain.phrases import Phrase
from tests.views import view


@pytest.mark.parametrize(
    ("phrase", "labels", "plain"),
    [
        ("look at {instance}", {"instance": "a:1"}, "look at a:1"),
        ("look at {pod|instance}", {"instance": "a:1"}, "look at a:1"),
        ('look at {pod|"the pod"}', {}, "look at the pod"),
        ("look at {pod}", {}, None),
        ("{name} of {subject}", {"job": "x"}, "Down of x"),
        ("{fact.missing}", {}, None),
        ("awk '{print $1}' {.items} {{x}} { }", {"x": "1"}, "awk '{print $1}' {.items} {1} { }"),
        ("on {instance}", {"instance": "a\n\x1b[31mb\u202ec"}, "on a [31mb c"),
        ("on {instance}", {"instance": "x" * 9999}, "on " + "x" * 300),
    ],
)
def test_plain_texts(phrase, labels, plain):
    assert Phrase.of(phrase).plain(view("Down", **labels)) == plain


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
    assert Phrase.of(phrase).shell(view("Down", pod=value)) == shell


@settings(max_examples=500, deadline=None)
@given(st.text(min_size=1, max_size=40))
def test_no_value_ever_becomes_shell_syntax_or_an_option(value):
    alert = view("Down", pod=value)
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
    alert = view("Down", pod="a/b?c=d e")
    assert Phrase.of("https://x.example.org/{pod}").url(alert) == "https://x.example.org/a%2Fb%3Fc%3Dd%20e"
    assert Phrase.of("javascript:{pod}").url(alert) is None


def test_an_expression_is_whole_or_not_there():
    assert Phrase.of("{expr}").shell(view("Down", 'up{job="a b"} == 0')) == "'up{job=\"a b\"} == 0'"
    assert Phrase.of("{expr}").shell(view("Down", "a + " * 600 + "a > 1")) is None
