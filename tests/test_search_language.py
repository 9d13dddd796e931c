"""The search language: what each word means, and what is said of each mistake."""

from contextlib import suppress

import pytest

from receiver.domain.search import FIELDS, LONGEST, MOST_TERMS, Unreadable, parse
from receiver.domain.searchterms import Among, Compared, Label, Words
from receiver.domain.times import DAY, HOUR, MINUTE, SECOND, parse_rfc3339
from receiver.flow.find import query

NOW = 1_800_000_000 * SECOND
JANUARY = parse_rfc3339("2026-01-31T00:00:00Z")


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", []),
        ("  \n\t ", []),
        ("disk", [Words("disk")]),
        ("disk full", [Words("disk"), Words("full")]),
        ("disk and full", [Words("disk"), Words("full")]),
        ('"disk full"', [Words("disk full")]),
        (r'"say \"hi\" C:\\x \d"', [Words(r'say "hi" C:\x \d')]),
        ('"and"', [Words("and")]),
        ("-disk", [Words("disk", negated=True)]),
        ("not disk", [Words("disk", negated=True)]),
        ("NOT disk", [Words("disk", negated=True)]),
        ("not -disk", [Words("disk")]),
        ("not not disk", [Words("disk")]),
        ('-"disk full"', [Words("disk full", negated=True)]),
        ('"-disk"', [Words("-disk")]),
        ("web-1", [Words("web-1")]),
        ("10.0.0.1:9100", [Words("10.0.0.1:9100")]),
        ("web-1.example.org:9100", [Words("web-1.example.org:9100")]),
        ("http://example.org/x?a", [Words("http://example.org/x?a")]),
        ("100%", [Words("100%")]),
        ("!important", [Words("!important")]),
        ("=x", [Words("=x")]),
        ("ü", [Words("ü")]),
        ("priority:critical", [Among("priority", ("critical",))]),
        ("Priority:CRITICAL", [Among("priority", ("critical",))]),
        ("priority:critical,high", [Among("priority", ("critical", "high"))]),
        ("priority:high,high", [Among("priority", ("high",))]),
        ('priority:"high"', [Among("priority", ("high",))]),
        ("-priority:low", [Among("priority", ("low",), negated=True)]),
        ("priority>=high", [Among("priority", ("critical", "high"))]),
        ("priority>high", [Among("priority", ("critical",))]),
        ("priority<=low", [Among("priority", ("low", "info"))]),
        ("priority<low", [Among("priority", ("info",))]),
        ("-priority>=high", [Among("priority", ("critical", "high"), negated=True)]),
        ("status:open", [Among("status", ("active", "acknowledged", "suppressed"))]),
        ("status:Closed", [Among("status", ("resolved", "expired"))]),
        ("status:open,expired", [Among("status", ("active", "acknowledged", "suppressed", "expired"))]),
        ("category:database", [Among("category", ("database",))]),
        ("source:am,grafana kind:sentry", [Among("source", ("am", "grafana")), Among("kind", ("sentry",))]),
        ('name:"High CPU",B', [Among("name", ("High CPU", "B"))]),
        ("assignee:ada", [Among("assignee", ("ada",))]),
        ("assignee:none", [Among("assignee", ("",))]),
        ('assignee:"none"', [Among("assignee", ("none",))]),
        ("id:7,12", [Among("id", ("7", "12"))]),
        ("label.namespace=shop", [Label("namespace", "shop")]),
        ("namespace=shop", [Label("namespace", "shop")]),
        ("namespace!=shop", [Label("namespace", "shop", negated=True)]),
        ("-namespace!=shop", [Label("namespace", "shop")]),
        ("pod=~web-.*", [Label("pod", "web-.*", pattern=True)]),
        (r"pod!~web-\d+", [Label("pod", r"web-\d+", negated=True, pattern=True)]),
        (r'pod=~"web \d+"', [Label("pod", r"web \d+", pattern=True)]),
        ('label."my label"="a b"', [Label("my label", "a b")]),
        (r'label."we\"ird"=x', [Label('we"ird', "x")]),
        ("label.priority=high", [Label("priority", "high")]),
        ("kubernetes.io/name=x", [Label("kubernetes.io/name", "x")]),
        ("team=", [Label("team", "")]),
        ('team=""', [Label("team", "")]),
        ("team=a,b", [Label("team", "a,b")]),
        ("expr=a=b>c", [Label("expr", "a=b>c")]),
        ("age>1h", [Compared("started_at", "<", NOW - HOUR)]),
        ("age<=1h30m", [Compared("started_at", ">=", NOW - 90 * MINUTE)]),
        ("age<1w2d", [Compared("started_at", ">", NOW - 9 * DAY)]),
        ("seen<10m", [Compared("last_seen_at", ">", NOW - 10 * MINUTE)]),
        ("-seen<10s", [Compared("last_seen_at", ">", NOW - 10 * SECOND, negated=True)]),
        ("started>2026-01-31", [Compared("started_at", ">", JANUARY)]),
        ("started<=2026-01-31T06:00Z", [Compared("started_at", "<=", JANUARY + 6 * HOUR)]),
        ("ended>=2026-01-31t07:00:00+01:00", [Compared("ended_at", ">=", JANUARY + 6 * HOUR)]),
        ("count>10", [Compared("notification_count", ">", 10)]),
        ("count=1", [Compared("notification_count", "=", 1)]),
        ("count!=1", [Compared("notification_count", "=", 1, negated=True)]),
        (
            'priority:critical category:database label.namespace=shop "disk" age>1h',
            [
                Among("priority", ("critical",)),
                Among("category", ("database",)),
                Label("namespace", "shop"),
                Words("disk"),
                Compared("started_at", "<", NOW - HOUR),
            ],
        ),
    ],
)
def test_what_is_sought(text, terms):
    assert list(parse(text, NOW).terms) == terms


@pytest.mark.parametrize(
    ("text", "at", "said"),
    [
        ("prority:high", 0, "did you mean priority:"),
        ("x prority:high", 2, "quote it"),
        ("node:web", 0, "write label.node="),
        ("localhost:9090", 0, "quote it"),
        ("priority:hihg", 9, "did you mean high?"),
        ("priority:urgent", 9, "critical, high"),
        ("status:opne", 7, "did you mean open?"),
        ("category:disk", 9, "there is system"),
        ("priority:high,", 14, "a value is missing"),
        ("priority:", 9, "a value is missing"),
        ('priority:"high"x', 15, "a space is missing"),
        ("id:x", 3, "which is a number"),
        ("id:" + "9" * 19, 3, "which is a number"),
        ("priority>critical", 9, "did you mean >=?"),
        ("priority<info", 9, "did you mean <=?"),
        ("priority>x", 9, "no priority"),
        ("priority=high", 0, "label.priority="),
        ("age=1h", 0, "write age>"),
        ("age:1h", 0, "age>1h"),
        ("count:3", 0, "count>10"),
        ("ended:x", 0, "ended>2026"),
        ("agee>1h", 0, "did you mean age>?"),
        ("disk>90", 0, "priority, age, seen"),
        ("age>5", 4, "5m or 5h"),
        ("age>", 4, "no length of time"),
        ("age>1x", 4, "1h30m"),
        ("age>30m1h", 4, "no length of time"),
        ("started>2h", 8, "age>1h"),
        ("started>2026-13-01", 8, "no moment"),
        ("started>now", 8, "2026-01-31"),
        ("started>0001-01-01", 8, "no moment"),
        ("count>x", 6, "whole number"),
        ("count>-1", 6, "whole number"),
        ("count>99999999999", 6, "whole number"),
        ('"disk', 0, "never closed"),
        ('name:"disk', 5, "never closed"),
        ('a "b"c', 5, "a space is missing"),
        ('""', 0, "nothing between"),
        ("a or b", 2, "no `or`"),
        ("(a)", 0, "no parentheses"),
        ("-(a)", 0, "no parentheses"),
        ("a -", 2, "right behind"),
        ("team = shop", 5, "no space before or behind a =: "),
        ("-=~", 0, "no space before or behind"),
        ("status : open", 7, "no space before or behind"),
        ("a not", 5, "missing behind the `not`"),
        ("label.=x", 0, "label.NAME="),
        ('label.""=x', 0, "label.NAME="),
        ("x" * (LONGEST + 1), LONGEST, "at most"),
        ("a " * (MOST_TERMS + 1), 2 * MOST_TERMS, "at most"),
        ("id:" + ",".join(map(str, range(51))), 0, "more than 50"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_the_way_out(text, at, said):
    with pytest.raises(Unreadable) as caught:
        parse(text, NOW)
    assert caught.value.at == at
    assert said in caught.value.sentence
    assert len(str(caught.value)) < 300
    assert f"at character {at + 1} " in str(caught.value)


def test_every_hint_is_itself_a_search():
    for text in (f"{name}{sign}x" for name in FIELDS for sign in (":", ">", "=")):
        with suppress(Unreadable):
            parse(text, NOW)
            continue
        with pytest.raises(Unreadable) as caught:
            parse(text, NOW)
        for way in caught.value.sentence.split():
            if ">1h" in way or ">2026" in way:
                parse(way.strip("(),;"), NOW)


def test_as_many_terms_as_allowed():
    assert len(parse("a " * MOST_TERMS, NOW).terms) == MOST_TERMS


@pytest.mark.parametrize("text", ["a pod=~(", "a pod!~[z-a]", r'a pod=~"(?=x)"', r"a pod=~(\w)\1"])
def test_a_pattern_that_is_none_is_told_with_its_place(text):
    with pytest.raises(Unreadable, match="RE2") as caught:
        query(text, NOW)
    assert caught.value.at == 7


def test_what_no_store_takes_is_replaced():
    assert query("a\0b\ud800", NOW).search.terms == (Words("a\ufffdb\ufffd"),)
