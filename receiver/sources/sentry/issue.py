"""What Sentry says of an issue, from all parts of it that are known: the issue, its latest event, the rule."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from receiver.domain.enrichment import Enrichment, Impact, Link
from receiver.domain.vocabulary import Category
from receiver.sources.sentry.fields import (
    count,
    fields,
    issue_in,
    items,
    organization_in,
    pairs,
    project_in,
    text,
)
from receiver.sources.text import safe_url

TAGS = 50
DEFAULT_LEVEL = "error"
"""Sentry's own for an event that names none."""
_NO_LABELS = frozenset({"user", "url", "level", "environment", "release", "transaction", "server_name"}) | {
    "severity",
    "category",
}
"""Tags of which there are very many, those that have a label of their own, and those that would judge the alert."""
_THOUSANDS = {
    1: ("PerformanceIssue", Category.PERFORMANCE),
    2: ("ProfileIssue", Category.PERFORMANCE),
    4: ("CronFailure", Category.AVAILABILITY),
    5: ("ReplayIssue", Category.APPLICATION),
    6: ("UserFeedback", Category.APPLICATION),
    7: ("UptimeFailure", Category.AVAILABILITY),
    8: ("MetricIssue", Category.APPLICATION),
}
"""By the thousand of an occurrence's type (sentry: issues/grouptype)."""


def identity(raw: Mapping[str, Any]) -> str:
    """The issue's id as text, from wherever it is told; "" when nowhere."""
    issue, event, legacy = fields(raw, "issue"), fields(raw, "event"), fields(raw, "legacy")
    told = text(issue.get("id"), event.get("issue_id"), legacy.get("id"), longest=40)
    return told or issue_in(event.get("issue_url"), event.get("web_url"), legacy.get("url"))


def labels(raw: Mapping[str, Any]) -> dict[str, str]:
    """The alert's labels: what people filter and route by."""
    issue, event, legacy = fields(raw, "issue"), fields(raw, "event"), fields(raw, "legacy")
    tags = pairs(event.get("tags"))
    own = {
        "alertname": _name(raw),
        "project": _project(raw),
        "organization": organization_in(*_urls(raw)),
        "environment": text(event.get("environment"), tags.get("environment"), longest=100),
        "level": text(*(part.get("level") for part in (event, tags, issue, legacy)), DEFAULT_LEVEL, longest=20),
        "release": text(event.get("release"), tags.get("release"), longest=200),
        "platform": text(issue.get("platform"), event.get("platform"), longest=40),
        "transaction": text(event.get("transaction"), tags.get("transaction"), longest=300),
        "server_name": text(event.get("server_name"), tags.get("server_name"), longest=200),
    }
    more = {name: value[:200] for name, value in tags.items() if name not in _NO_LABELS}
    return dict(list(more.items())[:TAGS]) | {name: value for name, value in own.items() if value}


def told(raw: Mapping[str, Any]) -> Enrichment:
    """Title, message, facts, links and how many users are hit."""
    issue = fields(raw, "issue")
    _, category = _occurrence(raw)
    users = count(issue.get("userCount"))
    return Enrichment(
        title=_title(raw) or None,
        message=_message(raw) or None,
        category=category,
        subject=_subject(raw) or None,
        # 0 is what Sentry counts when the application names no users: unknown, not nobody.
        impact=Impact(users, "Sentry: users seen by the issue") if users else None,
        facts=_facts(raw),
        links=tuple(_links(raw)),
    )


def _raised(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """The exception that was raised: the last of the chain."""
    chain = items(raw.get("exceptions"))
    return fields(chain[-1]) if chain else {}


def _occurrence(raw: Mapping[str, Any]) -> tuple[str, Category]:
    number = fields(raw, "event", "occurrence").get("type")
    known = _THOUSANDS.get(number // 1000) if isinstance(number, int) and not isinstance(number, bool) else None
    return known or ("", Category.APPLICATION)


def _error_type(raw: Mapping[str, Any]) -> str:
    issue, event = fields(raw, "issue", "metadata"), fields(raw, "event", "metadata")
    return text(_raised(raw).get("type"), event.get("type"), issue.get("type"), longest=200)


def _name(raw: Mapping[str, Any]) -> str:
    """What alerts are counted by: the type of the error, or of the occurrence; a message's own title."""
    return _error_type(raw) or _occurrence(raw)[0] or _title(raw)[:100] or "Sentry issue"


def _title(raw: Mapping[str, Any]) -> str:
    issue, event, legacy = fields(raw, "issue"), fields(raw, "event"), fields(raw, "legacy")
    metadata = fields(event, "metadata")
    made = ": ".join(part for part in (text(metadata.get("type")), text(metadata.get("value"))) if part)
    occurrence = fields(event, "occurrence")
    return text(
        event.get("title"), occurrence.get("issueTitle"), issue.get("title"), made, legacy.get("message"), longest=300
    )


def _message(raw: Mapping[str, Any]) -> str:
    issue, event, legacy = fields(raw, "issue"), fields(raw, "event"), fields(raw, "legacy")
    occurrence = fields(event, "occurrence")
    said = text(
        occurrence.get("subtitle"),
        _raised(raw).get("value"),
        fields(event, "metadata").get("value"),
        event.get("message") if isinstance(event.get("message"), str) else None,
        fields(event, "logentry").get("formatted"),
        fields(issue, "metadata").get("value"),
        legacy.get("message"),
    )
    evidence = [
        f"{name}: {value}"
        for row in items(occurrence.get("evidenceDisplay"))[:10]
        if fields(row).get("important")
        and (name := text(fields(row).get("name")))
        and (value := text(fields(row).get("value")))
    ]
    endpoint, where = _endpoint(raw), _where(raw)
    at = (
        f"At {endpoint}, {where}"
        if endpoint and where
        else f"At {endpoint}"
        if endpoint
        else where[:1].upper() + where[1:]
    )
    parts = [said, *evidence, at]
    return " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in parts if part)


def _where(raw: Mapping[str, Any]) -> str:
    told = labels(raw)
    release = f"release {told['release']}" if "release" in told else ""
    return ", ".join(part for part in (release, told.get("environment", "")) if part)


def _endpoint(raw: Mapping[str, Any]) -> str:
    """The request that failed, without its parameters; else the transaction."""
    request = fields(raw, "event", "request")
    url, method = text(request.get("url"), longest=500), text(request.get("method"), longest=10)
    transaction = text(
        fields(raw, "event").get("transaction"), pairs(fields(raw, "event").get("tags")).get("transaction")
    )
    if not url:
        return transaction
    return f"{method} {url.partition('?')[0]}".strip()


def _culprit(raw: Mapping[str, Any]) -> str:
    issue, event, legacy = fields(raw, "issue"), fields(raw, "event"), fields(raw, "legacy")
    return text(event.get("culprit"), issue.get("culprit"), legacy.get("culprit"), event.get("location"), longest=300)


def _subject(raw: Mapping[str, Any]) -> str:
    """What it is about: the monitor, the transaction, the culprit; in its project."""
    monitor = fields(raw, "event", "contexts", "monitor")
    tags = pairs(fields(raw, "event").get("tags"))
    return text(monitor.get("name"), monitor.get("slug"), tags.get("monitor.slug"), _culprit(raw)) or _project(raw)


def _project(raw: Mapping[str, Any]) -> str:
    project, legacy = fields(raw, "issue", "project"), fields(raw, "legacy")
    told = text(project.get("slug"), legacy.get("project_slug"), project.get("name"), longest=100)
    return told or project_in(fields(raw, "event").get("url"))


def _urls(raw: Mapping[str, Any]) -> tuple[Any, ...]:
    issue, event, legacy = fields(raw, "issue"), fields(raw, "event"), fields(raw, "legacy")
    return (
        issue.get("web_url"),
        issue.get("webUrl"),
        issue.get("permalink"),
        event.get("web_url"),
        legacy.get("url"),
        event.get("url"),
        issue.get("url"),
    )


def _links(raw: Mapping[str, Any]) -> list[Link]:
    """Addresses for people. An event's own page may need the project, so the issue's is made with it."""
    *for_people, event_page, legacy_page, _, _ = _urls(raw)
    found = next((url for url in (*for_people, legacy_page) if safe_url(url)), None) or _issue_page(raw)
    links = [("Issue in Sentry", found), ("Event in Sentry", event_page)]
    links += [("Alert rule in Sentry", fields(raw, "rule").get("url"))]
    return [Link(title, address) for title, url in links if (address := safe_url(url))]


def _issue_page(raw: Mapping[str, Any]) -> str | None:
    organization, number = organization_in(*_urls(raw)), identity(raw)
    address = next((url for url in _urls(raw) if safe_url(url)), None)
    if not organization or not number or address is None:
        return None
    parts = urlsplit(address)
    project = count(fields(raw, "event").get("project"), fields(raw, "issue", "project").get("id"))
    page = f"{parts.scheme}://{parts.netloc}/organizations/{organization}/issues/{number}/"
    return f"{page}?project={project}" if project is not None else page


def _facts(raw: Mapping[str, Any]) -> dict[str, Any]:
    issue, event, legacy = fields(raw, "issue"), fields(raw, "event"), fields(raw, "legacy")
    tags, user, rule = pairs(event.get("tags")), fields(event, "user"), fields(raw, "rule")
    runtime, trace = fields(event, "contexts", "runtime"), fields(event, "contexts", "trace")
    rules = [name for name in map(text, items(legacy.get("triggering_rules"))) if name]
    facts: dict[str, Any] = {
        "error_type": _error_type(raw),
        "error_value": text(_raised(raw).get("value"), fields(issue, "metadata").get("value")),
        "handled": _raised(raw).get("handled"),
        "culprit": _culprit(raw),
        "endpoint": _endpoint(raw),
        "transaction": text(event.get("transaction"), tags.get("transaction"), longest=300),
        "project": _project(raw),
        "release": text(event.get("release"), tags.get("release"), longest=200),
        "error_count": count(issue.get("count")),
        "first_seen": text(issue.get("firstSeen"), longest=40),
        "last_seen": text(issue.get("lastSeen"), longest=40),
        "substatus": text(issue.get("substatus"), longest=60),
        "sentry_priority": text(issue.get("priority"), longest=20),
        "short_id": text(issue.get("shortId"), longest=100),
        "issue_id": identity(raw),
        "event_id": text(event.get("event_id"), longest=40),
        "rule": text(rule.get("name"), *rules[:1], longest=200),
        "user": text(user.get("email"), user.get("username"), user.get("id"), longest=200),
        "server": text(event.get("server_name"), tags.get("server_name"), longest=200),
        "runtime": " ".join(filter(None, (text(runtime.get("name")), text(runtime.get("version"))))),
        "trace_id": text(trace.get("trace_id"), longest=64),
        "assignee": text(raw.get("assignee"), fields(issue, "assignedTo").get("name"), longest=200),
        "root_cause": text(fields(raw, "seer").get("root_cause"), longest=2000),
        "solution": text(fields(raw, "seer").get("solution"), longest=2000),
        "test": True if tags.get("sample_event") == "yes" else None,
    }
    return {name: fact for name, fact in facts.items() if fact not in ("", None)}
