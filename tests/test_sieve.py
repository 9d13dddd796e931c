"""A large book is not tried rule by rule; what is left out must be only what cannot apply."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from receiver.domain.rules import Book, Rule
from receiver.rulebook import load_book
from receiver.rulebook.when import compiled, condition, together
from tests.views import explained, sighting, view

PATTERNS = [
    ".*", "", "a", ".*a", "a.*", ".*a.*", "a|b.*", ".*a|b", "|a", "(?i)a.*", "(?i).*B", "(?i:.*ab).*", r"a\.*",
    r"a\\.*",
    ".*?b", ".*+b",
    "[.*", "[.*]", r"\bab\b", r".*\b(ab|ba)\b.*", "(a|.*b).*", ".*.*", ".*|.*", "(?s)a.b", "a{1,2}.*", "^a$", ".*$",
]  # fmt: skip


def usable(pattern):
    try:
        return compiled(pattern, ())
    except Exception:  # noqa: BLE001 - only patterns that a rule may hold are of interest
        return None


KNOWN = [(pattern, matcher) for pattern in PATTERNS if (matcher := usable(pattern)) is not None]
SEARCH = together([pattern for pattern, _ in KNOWN])


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet="abAB .\n\\", max_size=12))
@example("")
@example("a\nb")
def test_no_pattern_that_fits_is_missed(text):
    found = set(SEARCH(text))
    assert {place for place, (_, matcher) in enumerate(KNOWN) if matcher.fullmatch(text)} <= found


@pytest.mark.parametrize(
    ("when", "gates"),
    [
        ('name = "A"', {("name", False, "A")}),
        ('name =~ "A.*"', {("name", True, "A.*")}),
        ('name != "A"', None),
        ("value > 3", None),
        (['name = "A"', 'metric =~ "x|y"'], {("name", False, "A")}),
        (
            ['label.a = "b"', {"any": ['metric = "x"', 'metric = "y"']}],
            {("metric", False, "x"), ("metric", False, "y")},
        ),
        (["value > 3", 'name != "A"'], None),
        ({"any": ['name = "A"', "value > 3"]}, None),
        ({"none": ['name = "A"']}, None),
    ],
)
def test_what_has_to_hold_before_a_condition_can(when, gates):
    found = condition(when).gates()
    assert found == (None if gates is None else frozenset(gates))


def test_the_shipped_book_says_the_same_tried_rule_by_rule():
    book = load_book()
    slow = Book(book.rules, book.digest)
    for rule in book.rules:
        for given_alert in rule.examples:
            told = view(given_alert.name, given_alert.expr, dict(given_alert.annotations), **given_alert.labels)
            assert [one.id for one in book.applying(told)] == [one.id for one in slow.applying(told)]


def test_only_what_may_apply_is_tried():
    tried = []

    class Counting:
        def __init__(self, when):
            self.inner = condition(when)

        def holds(self, told):
            return self.inner.holds(told)

        def gates(self):
            return self.inner.gates()

        def reduced(self, told):
            tried.append(self)
            return self.inner.reduced(told)

    rules = [Rule(f"r{number}", Counting(f'metric =~ "m{number}_.*"'), (), 100) for number in range(500)]
    book = Book(tuple(rules), "", together)
    explained(sighting("X", "m7_errors > 1"), book)
    assert tried == [rules[7].when]
