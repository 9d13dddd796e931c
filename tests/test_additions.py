"""What enrichers return: taken when it is right, bounded when it is long, refused in one sentence when it is junk."""

import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrichers.chain import SINGLES, merge, provenance, view_of
from receiver.domain.enrichment import Enrichment, Impact, Link, Recommendation, Term
from receiver.domain.vocabulary import Category, Priority
from receiver.plugins import additions
from tests.views import sighting


def test_nothing_and_an_enrichment_are_taken_as_they_are() -> None:
    full = Enrichment(
        title="t",
        category=Category.DATABASE,
        priority=Priority.HIGH,
        priority_terms=(Term("r", "i", "e"),),
        value=1.5,
        direction="above",
        impact=Impact(3, "me"),
        facts={"a": [1, {"b": None}]},
        recommendations=(Recommendation("do", "ls", "https://example.org/x", "id", careful=True),),
        links=(Link("mail", "mailto:ops@example.org"),),
    )
    assert additions(None) == Enrichment()
    assert additions(full) == full


def test_a_mapping_is_read_as_an_enrichment() -> None:
    returned = {"priority": "high", "value": 3, "recommendations": [{"text": "do"}], "impact": {"users": "unknown"}}
    expected = Enrichment(
        priority=Priority.HIGH, value=3.0, recommendations=(Recommendation("do"),), impact=Impact("unknown")
    )
    assert additions(returned) == expected


def test_every_field_of_an_enrichment_can_be_said() -> None:
    said: dict[str, Any] = {field.name: getattr(Enrichment(), field.name) for field in fields(Enrichment)}
    assert additions(said) == Enrichment()


def _deep() -> list[Any]:
    knot: list[Any] = []
    knot.append(knot)
    return knot


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        ([], "returned a list; return a mapping, an Enrichment or None"),
        (True, "returned a bool; return a mapping, an Enrichment or None"),
        ({"prio": "high"}, '"prio" is not a field of Enrichment; did you mean "priority"?'),
        ({1: 2}, "1: has a key that is not text"),
        ({"priority": "hgh"}, 'priority: must be one of critical, high, medium, low or info, not "hgh"'),
        ({"title": 5}, "title: must be text"),
        (Enrichment(title=5), "title: must be text"),  # type: ignore[arg-type]
        (Enrichment(links=(Link("x", None),)), "links.0.url: must be text"),  # type: ignore[arg-type]
        ({"value": "5"}, 'value: must be a number, not "5"'),
        ({"value": float("nan")}, "value: must be a finite number"),
        ({"impact": {"users": -1}}, 'impact.users: must be a whole number from 0, or "unknown"'),
        ({"recommendations": "do"}, "recommendations: must be a list"),
        ({"recommendations": ["do"]}, "recommendations.0: must be a mapping with keys of its own"),
        ({"recommendations": [{"text": "x", "txt": "x"}]}, 'recommendations.0: "txt" is not a field of Recommendation'),
        ({"recommendations": [{"text": "x"}] * 21}, "recommendations: has more items than 20"),
        (
            {"recommendations": [{"text": "x", "link": "javascript:alert(1)"}]},
            "recommendations.0.link: must be an http",
        ),
        ({"links": [{"title": "x", "url": "http:x"}]}, "links.0.url: must be an http, https or mailto address"),
        ({"links": [{"title": "x", "url": "https://x/\n"}]}, "links.0.url: must be an http, https or mailto address"),
        ({"facts": [1]}, "facts: must be a mapping, not a list"),
        ({"facts": {1: 2}}, "facts: has a key that is an int; keys must be text"),
        ({"facts": {"a": [datetime(2026, 1, 1, tzinfo=UTC)]}}, "facts: a.0 is a datetime; turn it into text"),
        ({"facts": {"a": {"b": float("inf")}}}, "facts: a.b is a number JSON cannot hold; turn it into text"),
        ({"facts": {"a": 10**400}}, "facts: a is a number JSON cannot hold"),
        ({"facts": {"a": _deep()}}, "facts: are nested deeper than 20"),
        ({"facts": {"a": [0] * 10_000}}, "facts: are nested deeper than 20 or hold more than 10000 values"),
        ({"facts": dict.fromkeys(map(str, range(101)), 1)}, "facts: has 101 entries; at most 100 are kept"),
        ({"facts": {str(n): "x" * 4000 for n in range(20)}}, "at most 65536 are kept"),
    ],
)
def test_junk_is_refused_in_one_sentence(returned: object, told: str) -> None:
    with pytest.raises(ValueError, match=r".") as found:
        additions(returned)
    assert told in str(found.value)
    assert "\n" not in str(found.value)


def test_long_texts_are_cut_and_what_cannot_be_stored_is_replaced() -> None:
    found = additions({"title": "ü" * 3000, "subject": "a\0b\ud800c", "facts": {"k\0": ["\udfff"]}})
    assert found.title is not None
    assert found.title.endswith("ü…")
    assert len(found.title.encode()) <= 4096
    assert (found.subject, found.facts) == ("a\ufffdb\ufffdc", {"k\ufffd": ["\ufffd"]})


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.integers(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from([field.name for field in fields(Enrichment)]) | st.text(), JUNK, max_size=4))
def test_whatever_is_returned_becomes_storable_or_is_refused(returned: dict[str, Any]) -> None:
    try:
        found = additions(returned)
    except ValueError:
        return
    assert "\0" not in json.dumps(dict(found.facts), allow_nan=False, ensure_ascii=False).encode().decode()


@pytest.mark.parametrize("name", SINGLES)
def test_each_single_value_is_put_in_its_place_and_named(name: str) -> None:
    said = {"category": Category.DATABASE, "priority": Priority.LOW, "impact": Impact(3, "me")}
    said |= {"value": 1.0, "threshold": 2.0, "overage_percent": 3.0, "direction": "below"}
    view = view_of(sighting("X"))
    given_value = said.get(name, f"a {name}")
    told = provenance([merge(view, "who", Enrichment(**{name: given_value}))])
    assert (getattr(view, name), told) == (given_value, {name: "who"})
