"""The rule book: its grammar, its mistakes by file and line, overlays, and its proof of itself."""

import re
import time
from itertools import pairwise
from pathlib import Path

import pytest

from receiver.errors import Mistakes
from receiver.rulebook import load_book, prove
from receiver.rulebook.when import Unclear, condition
from tests.views import view

ALERT = view(
    "NodeDiskFull",
    "node_filesystem_avail_bytes / node_filesystem_size_bytes * 100 < 5",
    {"summary": "Disk is full", "description": "only 2% left\non /var"},
    instance="db-1:9100",
    severity="warning",
    team="",
)


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ('name = "NodeDiskFull"', True),
        ("name = NodeDiskFull", True),
        ("name = 'NodeDisk'", False),
        ('name =~ "Node.*"', True),
        ('name =~ "Disk"', False),
        ('name !~ "Disk"', True),
        ('name != "Up"', True),
        ('label.instance =~ "db-.*"', True),
        ('label.missing = ""', True),
        ('label.missing =~ ".+"', False),
        ('label.missing !~ "x"', True),
        ('annotation.summary =~ "(?i)disk.*"', True),
        ('text =~ ".*left.*var.*"', True),
        ('fact.expression =~ "node_.*"', True),
        ('metric = "node_filesystem_avail_bytes"', True),
        ('category = "system"', True),
        ('metrics = "node_filesystem_avail_bytes node_filesystem_size_bytes"', True),
        ('metrics =~ ".* node_filesystem_size_bytes"', True),
        ('functions = ""', True),
        ('words =~ "node disk full .*avail bytes.*"', True),
        ('words =~ ".*full disk.*"', False),
        ('unit = "percent"', True),
        ("value < 3", True),
        ("value >= 2", True),
        ("threshold > 5", False),
        ("overage_percent > 50", True),
        ("fact.nothing > 1", False),
        (["value < 3", 'label.severity = "warning"'], True),
        ({"all": ["value < 3", "value > 3"]}, False),
        ({"any": ["value > 3", {"none": ['name = "x"', 'name = "y"']}]}, True),
        ({"none": ["value < 3"]}, False),
    ],
)
def test_the_grammar(when, holds):
    assert condition(when).holds(ALERT) is holds


@pytest.mark.parametrize(
    ("when", "sentence"),
    [
        ("nmae = x", "'nmae' cannot be tested with =; did you mean name?"),
        ("value = 3", "'value' cannot be tested with =; there is name, source"),
        ("value > high", "'high' is not a number to compare value with"),
        ("name > 3", "'name' cannot be tested with >; there is value, threshold"),
        ("label.x > 3", "label.x is a text"),
        ('name =~ "("', "is not an RE2 pattern"),
        ('name =~ "(?=x)"', "is not an RE2 pattern"),
        ("name", "'name' is not a test"),
        ("name = two words", "needs quotes around it"),
        ('name == "x"', "write = instead of =="),
        ({"some": ["name = x"]}, "is not a condition"),
        ({"any": []}, "is not a condition"),
        ({"any": ["name = x"], "all": ["name = x"]}, "is not a condition"),
        (3, "is not a condition"),
        (None, "is not a condition"),
    ],
)
def test_what_is_no_condition_is_said_in_a_sentence(when, sentence):
    with pytest.raises(Unclear) as caught:
        condition(when)
    assert sentence in caught.value.sentence


def test_patterns_take_linear_time_on_hostile_text():
    hostile = view("a" * 4000 + "!")
    began = time.perf_counter()
    assert condition('name =~ "(a+)+b"').holds(hostile) is False
    assert condition('text =~ "(.*a){20}b"').holds(hostile) is False
    assert time.perf_counter() - began < 0.5


def overlay(folder: Path, text: str) -> Path:
    """A user's folder with one rule file."""
    (folder / "recommendations").mkdir()
    (folder / "recommendations" / "mine.yaml").write_text(text)
    return folder


GOOD = """
- id: mine
  rank: 500
  because: ours
  when: [ 'label.team = "ops"' ]
  say:
    - text: Call {team}.
      command: "echo {instance}"
  examples:
    matches: [ {name: X, labels: {team: ops}} ]
    ignores: [ {name: X} ]
"""


def test_a_folder_lies_over_the_shipped_book_by_id(tmp_path):
    shipped = load_book()
    heartbeat = next(rule for rule in shipped.rules if rule.id == "heartbeat")
    replaced = GOOD.replace("id: mine", "id: heartbeat") + "- {id: look-around, enabled: false}\n"
    book = load_book(overlay(tmp_path, replaced))
    rules = {rule.id: rule for rule in book.rules}
    assert rules["heartbeat"].say != heartbeat.say
    assert "look-around" not in rules
    assert len(rules) == len(shipped.rules) - 1
    assert book.digest != shipped.digest
    assert book.recommend(view("X", team="ops"))[0].text == "Call ops."
    assert book.recommend(view("X", team="ops"))[0].command is None


def test_the_shipped_book_and_a_good_overlay_prove_themselves(tmp_path):
    assert prove(load_book(overlay(tmp_path, GOOD))) == []


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("id: x\n", ["mine.yaml:1: is not a list of rules"]),
        ("- x\n", ["mine.yaml:1: 0: is not a rule; write id, when and say"]),
        (
            "- id: x\n  whne: a\n  say: {text: t}\n",
            ["mine.yaml:1: x: has no when", "mine.yaml:2: x.whne: is not known here; did you mean when?"],
        ),
        ("- {when: name = x, say: {text: t}}\n", ["mine.yaml:1: 0: has no id"]),
        ("- {id: x, when: name = x}\n", ["mine.yaml:1: x: has no say"]),
        ("- id: x\n  when: name = x\n  say:\n  - {txt: t}\n", ["mine.yaml:4: x.say.0: is not a recommendation"]),
        (
            "- id: x\n  when: name = x\n  say: {text: t, careful: maybe}\n",
            ["mine.yaml:3: x.say.0.careful: is not true or false"],
        ),
        ("- id: x\n  when: name = x\n  rank: high\n  say: {text: t}\n", ["mine.yaml:3: x.rank: is not a whole number"]),
        (
            "- id: x\n  when:\n  - name = x\n  - nmae = x\n  say: {text: t}\n",
            ["mine.yaml:4: x.when.1: 'nmae' cannot be tested"],
        ),
        (
            "- {id: x, when: name = x, say: {text: t}}\n- {id: x, when: name = x, say: {text: t}}\n",
            ["mine.yaml:2: x.id: x is used twice (line 1)"],
        ),
        ("- id: [\n", ["mine.yaml:2: is not YAML"]),
        ("- {id: 5, when: name = x, say: {text: t}}\n", ['mine.yaml:1: 0.id: is not a text; write it in quotes: "5"']),
        (
            "- id: x\n  rank: true\n  because: [a]\n  when: name = x\n  say: {text: t}\n",
            ["mine.yaml:2: x.rank: is not a whole number", "mine.yaml:3: x.because: is not a text"],
        ),
        (
            "- id: x\n  when: name = x\n  say: {text: t}\n  examples: {matches: {name: x, kind: grafna}}\n",
            ['mine.yaml:4: x.examples.matches.0.kind: "grafna" is no kind of sender; there is alertmanager, grafana'],
        ),
        (
            f"- id: x\n  say: {{text: t}}\n  when:\n    {'[' * 150}name = x{']' * 150}\n",
            ["mine.yaml:4: is nested more than 100 levels deep"],
        ),
        ("- &a [*a]\n", ["mine.yaml:1: is nested more than 100 levels deep"]),
        (
            "- &a [x, x, x, x, x, x, x, x, x, x]\n"
            + "".join(f"- &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in pairwise("abcdefgh")),
            ["holds more than 500,000 values, aliases written out"],
        ),
        (
            "- {id: something-else-cpu, enabled: false}\n",
            ["something-else-cpu is switched off but there is no such rule\n"],
        ),
        (
            "- id: x\n  rank: high\n  when:\n  - nmae = x\n  say: {text: t}\n  examples: {matches: [3]}\n",
            [
                "mine.yaml:2: x.rank: is not a whole number",
                "mine.yaml:4: x.when.0: 'nmae' cannot be tested",
                "mine.yaml:6: x.examples.matches.0: is not an alert",
            ],
        ),
        (
            "- {id: cpu-bussy, enabled: false}\n",
            ["mine.yaml:1: cpu-bussy.id: cpu-bussy is switched off but there is no such rule; did you mean cpu-busy?"],
        ),
        (
            "- id: x\n  when: name = x\n  say: {text: t}\n  examples: {matches: [3]}\n",
            ["mine.yaml:4: x.examples.matches.0: is not an alert"],
        ),
    ],
)
def test_every_mistake_in_a_rule_file_by_line(tmp_path, text, mistakes):
    with pytest.raises(Mistakes) as caught:
        load_book(overlay(tmp_path, text))
    told = "".join(f"{mistake}\n" for mistake in caught.value.mistakes)
    for mistake in mistakes:
        assert mistake in told


def test_a_rule_file_in_the_wrong_place_is_no_silent_nothing(tmp_path):
    (tmp_path / "mine.yaml").write_text(GOOD)
    with pytest.raises(Mistakes, match=r"put it at recommendations/mine\.yaml"):
        load_book(tmp_path)
    with pytest.raises(Mistakes, match="is not a folder"):
        load_book(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("recommendations/o.YAML", "is not read; name it o.yaml"),
        ("recommendations/o.json", "is not read; name it o.yaml"),
        ("recommendations/team/deep/o.yaml", "recommendations/team: is not read: rules lie in recommendations/ itself"),
        ("more/o.yml", "more: is not read: rules lie in recommendations/ itself"),
        ("ADJUST.yml", "is not read here; name it adjust.yaml"),
        ("adjust.yaml/o.yaml", "adjust.yaml: cannot be read: Is a directory"),
        ("recommendations/.#o.yaml", None),
        ("recommendations/.o.yaml.swp", None),
        ("recommendations/..data/o.yaml", None),
        ("recommendations/README.md", None),
        ("recommendations/o.yaml.off", None),
    ],
)
def test_what_looks_like_rules_and_is_not_read_is_told(tmp_path, place, sentence):
    overlay(tmp_path, GOOD)
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_text("[}")
    if sentence is None:
        load_book(tmp_path)
        return
    with pytest.raises(Mistakes) as caught:
        load_book(tmp_path)
    (mistake,) = caught.value.mistakes
    assert sentence in str(mistake)


@pytest.mark.parametrize("place", ["", "recommendations"])
def test_a_folder_that_cannot_be_read_is_one_sentence(tmp_path, place):
    """A link to itself: whoever runs the tests, nobody can read it."""
    folder = tmp_path / "mine"
    (folder / place).parent.mkdir(exist_ok=True)
    (folder / place).symlink_to(folder / place)
    with pytest.raises(Mistakes) as caught:
        load_book(folder)
    (mistake,) = caught.value.mistakes
    assert str(mistake).endswith("cannot be read: Too many levels of symbolic links")


PROVEN = """
- id: mine
  when: name = X
  say:
    - text: Look.
      {}
  examples:
    matches: [ {{name: X, labels: {{team: "o's", host: h1}}, expr: up == 0}}, {{name: X, labels: {{job: j}}}} ]
    ignores: [ {{name: Y}} ]
"""


@pytest.mark.parametrize(
    ("say", "mistake"),
    [
        ("query: 'sum(({metric})'", "mine.yaml:8: mine.say.0.query: is not PromQL as it is filled in on this example"),
        ("query: 'sum({metric})'", None),
        ("command: 'echo \"{host}'", "mine.yaml:8: mine.say.0.command: is no whole command"),
        ("command: 'echo {team}'", None),
        ("command: 'Get-Content \"C:\\{host}\\\"'", None),
        ("link: 'https://x/{nobody}'", "mine.yaml:2: mine.say.0.link: is an address in none of the rule's matching"),
        ("link: '{host}/x'", "mine.say.0.link: is an address in none of"),
        ("link: 'https://x/{job}'", None),
    ],
)
def test_what_a_recommendation_hands_out_works_on_the_rules_own_examples(tmp_path, say, mistake):
    told = prove(load_book(overlay(tmp_path, PROVEN.format(say))))
    assert [mistake in str(one) for one in told] == ([True] if mistake else [])


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        (("ignores: [ {name: X} ]", ""), "mine.yaml:2: mine: has no example that it ignores"),
        (("matches: [ {name: X, labels: {team: ops}} ]", ""), "mine.yaml:2: mine: has no example that it matches"),
        (("labels: {team: ops}", "labels: {team: dev}"), "mine.yaml:10: mine: does not match its example X"),
        (
            ("ignores: [ {name: X} ]", "ignores: [ {name: X, labels: {team: ops}} ]"),
            "mine.yaml:11: mine: matches its example X",
        ),
        (("Call {team}.", "Call {nobody}."), "mine: says nothing about this example"),
    ],
)
def test_a_rule_that_does_not_prove_itself_is_told_by_line(tmp_path, change, mistake):
    told = "\n".join(map(str, prove(load_book(overlay(tmp_path, GOOD.replace(*change))))))
    assert mistake in told


ABOUT = """
- {id: first, rank: 120, when: &when 'name = "X"', examples: &proof {matches: [{name: X}], ignores: [{name: Y}]}, say: [
    {text: a1}, {text: a2}, {text: a3}, {text: a4}]}
- {id: second, when: *when, say: [{text: b1}, {text: b2, command: 'look {instance}'}], examples: *proof}
- {id: third, rank: 60, when: *when, say: [{text: c1}, {text: c2, command: 'see {instance}'}], examples: *proof}
"""


@pytest.mark.parametrize(
    ("off", "said"),
    [
        ((), ["a1", "a2", "a3", "b2"]),
        (("second",), ["a1", "a2", "a3", "c2"]),
        (("first",), ["b1", "b2"]),
        (("first", "second"), ["c1", "c2"]),
        (("second", "third"), ["a1", "a2", "a3"]),
    ],
)
def test_few_are_said_and_one_of_them_is_a_command_about_the_thing(tmp_path, off, said):
    written = ABOUT
    for rule in off:
        written = re.sub(rf"- {{id: {rule},.*\n(?: .*\n)?", "", written)
    if "&when" not in written:
        written = written.replace("*when", "&when 'name = \"X\"'", 1)
        written = written.replace("*proof", "&proof {matches: [{name: X}], ignores: [{name: Y}]}", 1)
    book = load_book(overlay(tmp_path, written))
    told = view("X", instance="db-1:9100")
    own = [one.text.rstrip(":") for one in book.recommend(told) if one.rule in ("first", "second", "third")]
    assert own == said


@pytest.mark.parametrize(
    ("say", "link"),
    [
        ("query: 'topk(5, {metric})'", "/graph?g0.expr=topk%285%2C%20up%29&g0.tab=1"),
        (
            "query: '{query}'\n    over: 6h",
            "/graph?g0.expr=up%7Binstance%3D%22db-1%3A9100%22%7D&g0.tab=0&g0.range_input=6h",
        ),
        ("query: 'x{a=\"{instance}\"}'", "/graph?g0.expr=x%7Ba%3D%22db-1%3A9100%22%7D&g0.tab=1"),
        ("query: 'x{a=\"{odd}\"}'", "/graph?g0.expr=x%7Ba%3D%22a%5C%22b%5C%5C%22%7D&g0.tab=1"),
        ("query: 'x + {odd}'", None),
        ("query: 'x + {missing}'", None),
    ],
)
def test_a_query_is_a_graph_of_the_alerts_own_prometheus(tmp_path, say, link):
    written = (
        '- id: asks\n  rank: 900\n  when: name = "X"\n  say:\n  - text: Look.\n    '
        f"{say}\n  examples: {{matches: [{{name: X}}], ignores: [{{name: Y}}]}}\n"
    )
    told = view("X", "up == 0", instance="db-1:9100", odd='a"b\\')
    book = load_book(overlay(tmp_path, written))
    first = book.recommend(told)[0]
    assert first.link == (link and f"http://prometheus.example.org{link}")
    without = view("X", instance="db-1:9100")
    assert book.recommend(without)[0].link is None


@pytest.mark.parametrize(
    ("more", "mistake"),
    [
        ("link: https://x\n    query: up", "stands beside a link"),
        ("over: 6h", "is not the time that a query's graph shows"),
        ("query: up\n    over: long", "is not the time that a query's graph shows"),
        ("query: [up]", "is not a text"),
    ],
)
def test_mistakes_of_a_query(tmp_path, more, mistake):
    written = f'- id: asks\n  when: name = "X"\n  say:\n  - text: Look.\n    {more}\n'
    with pytest.raises(Mistakes, match=mistake):
        load_book(overlay(tmp_path, written))


def test_an_id_of_two_files_of_one_folder_is_a_mistake(tmp_path):
    folder = overlay(tmp_path, GOOD)
    (folder / "recommendations" / "other.yaml").write_text("# more\n" + GOOD)
    with pytest.raises(Mistakes) as found:
        load_book(folder)
    (mistake,) = found.value.mistakes
    assert str(mistake).endswith(
        "is used already at " + str(folder / "recommendations" / "mine.yaml") + ":2; ids are unique in a folder"
    )
    assert (mistake.file, mistake.line) == (str(folder / "recommendations" / "other.yaml"), 3)
