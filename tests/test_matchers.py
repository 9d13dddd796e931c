"""Matchers as text: what only the newer of Alertmanager's parsers reads, and what each means itself when written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.domain.matchers import OPERATORS, Unreadable, all_wide, made
from receiver.silencing import compiled, matchers

NEWER = [
    ('"größe"="a"', [("größe", "=", "a")]),
    ("größe!=a", [("größe", "!=", "a")]),
    ('{"a b"=~"x|y"}', [("a b", "=~", "x|y")]),
    ('"\\u00e4\\x62\\t"="\\U0001F600"', [("äb\t", "=", "😀")]),
    ("a.b=c,d-e!~f", [("a.b", "=", "c"), ("d-e", "!~", "f")]),
    ('{"x"="a",}', [("x", "=", "a")]),
    ("{ 日本 = 語 }", [("日本", "=", "語")]),
    # Both read these, and differ: the classic one decides.
    (r'a="\t"', [("a", "=", r"\t")]),
    (r'a="\x41"', [("a", "=", r"\x41")]),
]
WRONG = [
    '"a"', '"größe"=', '"größe"="a', '"größe"=a"', "größe=a b", "größe=a größe=b", "{größe=a", "größe=a}", "größe==a",
    '"größe"="\\xff"', '"größe"="\\ud800"', '"größe"="\\q"', '"größe"="a\nb"', '""="a"', "größe='a'", "größe=`a`",
    "größe!a", "{,}", "größe=a,,", "{}x", '"größe"=~"("', "größe\\=a", '"größe"="\\400"',
]  # fmt: skip


@pytest.mark.parametrize(("text", "parts"), NEWER)
def test_what_the_newer_parser_reads(text: str, parts: list[tuple[str, str, str]]) -> None:
    assert [(one.name, one.operator, one.value) for one in matchers(text)] == parts


@pytest.mark.parametrize("text", WRONG)
def test_what_no_parser_reads(text: str) -> None:
    with pytest.raises(Unreadable) as told:
        matchers(text)
    assert "\n" not in str(told.value).replace(repr("\n"), "")


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8"), min_size=1),
            st.sampled_from(("=", "!=")),
            st.text(st.characters(codec="utf-8")),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_a_matcher_written_down_is_read_as_itself(parts: list[tuple[str, str, str]]) -> None:
    ours = tuple(made(*part, compiled) for part in parts)
    assert matchers(",".join(one.text for one in ours)) == ours
    assert matchers("{" + ", ".join(one.text for one in ours) + "}") == ours


@given(st.text(st.sampled_from("ab=!~\"\\,{} \n'ü`(|")))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = matchers(text)
    except Unreadable:
        return
    for one in found:
        assert one.operator in OPERATORS
        assert matchers(one.text) == (one,)
    assert all_wide(found) in (True, False)
