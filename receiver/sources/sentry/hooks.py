"""Which webhooks Sentry sends, and what each of them does to an alert."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from receiver.domain.sighting import Quarantined, Remark, Sighting, Sightings, Starts
from receiver.domain.times import HOUR, SECOND, Instant
from receiver.domain.vocabulary import Kind
from receiver.errors import Refused
from receiver.sources.context import SourceContext
from receiver.sources.labelled import Unreadable
from receiver.sources.sentry import event as events
from receiver.sources.sentry import issue as issues
from receiver.sources.sentry import metric
from receiver.sources.sentry.fields import count, fields, items, text
from receiver.sources.text import bounded, excerpt, kind_of, moment

HEADERS = ("sentry-hook-resource", "sentry-hook-timestamp")
ISSUE_SIZE = 8 * 2**10
LEGACY = "legacy"
_OF_NO_ALERT = frozenset({"installation", "preprod_artifact", "size_analysis"})
_BY_KEY = (
    ("metric_alert", "metric_alert"),
    ("event", "event_alert"),
    ("error", "error"),
    ("activity", "activity_alert"),
    ("issue", "issue"),
    ("comment_id", "comment"),
    ("group_id", "seer"),
    ("installation", "installation"),
)
"""(a key of `data`, the resource it belongs to) where the header is missing."""


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook, its outer form understood."""

    resource: str
    action: str
    data: Mapping[str, Any]
    who: str
    """The person who acted; "" for Sentry itself."""
    at: Instant
    """When Sentry sent it, by its clock, to the end of that second; now when it does not say."""
    source: SourceContext


def parse(headers: Mapping[str, str], document: Any, size: int, source: SourceContext, now: Instant) -> Sightings:
    """Read one webhook. What concerns no alert is `ignored`, what cannot be read is quarantined: Sentry never retries.

    Raises Refused (400) for a body that is none of Sentry's.
    """
    del size
    if not isinstance(document, dict):
        raise Refused(f"the body is a JSON {kind_of(document)}, not the object that Sentry's webhooks send")
    resource = headers.get("sentry-hook-resource", "") or resource_of(document)
    if not resource:
        raise Refused(
            "this is no webhook of Sentry: it has neither the header Sentry-Hook-Resource nor the keys of one"
        )
    actor = fields(document, "actor")
    hook = Hook(
        resource=resource,
        action=text(document.get("action"), longest=60),
        data=document if resource == LEGACY else fields(document, "data"),
        who=text(actor.get("name"), longest=100) if actor.get("type") == "user" else "",
        at=_sent_at(headers, now),
        source=source,
    )
    read = _READ.get(resource)
    if read is None:
        return Sightings(ignored=resource if resource in _OF_NO_ALERT else "other")
    try:
        told = read(hook)
    except (Unreadable, Refused) as why:
        told = Sightings(quarantined=(Quarantined(0, str(why), excerpt(document)),))
    return replace(told, voice=resource)


def join(sighting: Sighting, before: Mapping[str, Any]) -> Sighting:
    """The sighting with the parts of the issue that this webhook did not carry, and the fields of the issue itself."""
    if not sighting.fingerprint.startswith("issue:"):
        return sighting
    parts = {**before, **sighting.raw}
    if "issue" in before and "issue" in sighting.raw:
        parts["issue"] = {**before["issue"], **sighting.raw["issue"]}
    return _described(sighting, parts)


def is_ui_request(document: Any) -> bool:
    """True for what Sentry asks when somebody saves an alert rule with this integration's action."""
    return isinstance(document, dict) and "fields" in document and "installationId" in document


def resource_of(document: Mapping[str, Any]) -> str:
    """The resource by the keys of the body, for a webhook without its header; "" when it is none of Sentry's."""
    if is_ui_request(document):
        return "alert_rule_action"
    if "event" in document and ("project_slug" in document or "triggering_rules" in document):
        return LEGACY
    data = fields(document, "data")
    known = next((resource for key, resource in _BY_KEY if key in data), "")
    return known or ("unknown" if {"action", "installation", "data"} <= document.keys() else "")


def _sent_at(headers: Mapping[str, str], now: Instant) -> Instant:
    """The header is not signed: a time that cannot be right is not believed."""
    seconds = count(headers.get("sentry-hook-timestamp"))
    sent = None if seconds is None else (seconds + 1) * SECOND - 1
    return sent if sent is not None and abs(sent - now) < 24 * HOUR else now


def _described(sighting: Sighting, parts: Mapping[str, Any]) -> Sighting:
    return replace(sighting, labels=issues.labels(parts), told=issues.told(parts), raw=parts)


def _sighting(hook: Hook, parts: Mapping[str, Any], **more: Any) -> Sighting:
    number = issues.identity(parts)
    if not number:
        raise Unreadable("it names no issue: neither an id nor an address that holds one")
    plain = Sighting(
        source=hook.source.name,
        kind=hook.source.kind,
        fingerprint=f"issue:{number}",
        **{"firing": True, "labels": {}, "annotations": {}, "starts": Starts.EVENT, "who": hook.who, **more},
    )
    return _described(plain, parts)


# --- issues ---------------------------------------------------------------------------------------------------------


def _issue(hook: Hook) -> Sightings:
    issue = fields(hook.data, "issue")
    parts: dict[str, Any] = {"issue": bounded(issue, ISSUE_SIZE)}
    why = text(issue.get("substatus"), longest=60).replace("_", " ")
    match hook.action:
        case "created":
            return _one(_sighting(hook, parts, starts_at=_before(hook, moment(issue.get("firstSeen")))))
        case "unresolved":
            anew, began = issue.get("substatus") == "regressed", hook.at + 1
            return _one(_sighting(hook, parts, starts_at=began, silenced=False, anew=anew, why=why))
        case "resolved":
            how = text(hook.data.get("resolution_type"), longest=60).replace("_", " ")
            over = {"firing": False, "starts_at": hook.at, "ends_at": hook.at, "silenced": False}
            return _one(_sighting(hook, parts, **over, why=how))  # an issue is ignored or resolved, never both
        case "ignored" | "archived":
            return _one(_sighting(hook, parts, starts_at=hook.at, silenced=True, why=f"{hook.action} in Sentry: {why}"))
        case "assigned":
            assignee = fields(hook.data, "assignee") or fields(issue, "assignedTo")
            name = text(assignee.get("name"), assignee.get("email"), longest=200)
            parts["assignee"] = name
            said = f"{text(assignee.get('type'), longest=20)} {name}".strip()
            return _remark(hook, parts, Kind.ASSIGNED, f"assigned to {said or 'somebody'}")
    return Sightings(ignored="issue.other")


def _event(hook: Hook) -> Sightings:
    event = fields(hook.data, "event") or fields(hook.data, "error")
    parts = _event_parts(hook, event)
    alert = fields(hook.data, "issue_alert")
    rule = {"name": text(hook.data.get("triggered_rule"), alert.get("title"), longest=200), "url": alert.get("url")}
    parts["rule"] = {name: value for name, value in rule.items() if value}
    return _one(_sighting(hook, parts, starts_at=_happened_at(hook, event)))


def _legacy(hook: Hook) -> Sightings:
    """The plugin's hook tells neither ends nor issues: an issue that is not told of again expires."""
    event = fields(hook.data, "event")
    parts = _event_parts(hook, event)
    parts["legacy"] = bounded({name: value for name, value in hook.data.items() if name != "event"}, ISSUE_SIZE)
    return _one(_sighting(hook, parts, starts_at=_happened_at(hook, event), starts=Starts.NONE))


def _event_parts(hook: Hook, event: Mapping[str, Any]) -> dict[str, Any]:
    keep = hook.source.keep
    return {"event": events.kept(event, keep), "exceptions": events.exceptions(event, keep)}


def _happened_at(hook: Hook, event: Mapping[str, Any]) -> Instant:
    """By the server's clock if it says so, else by the application's."""
    return _before(hook, moment(event.get("received"), event.get("timestamp"), event.get("datetime")))


def _before(hook: Hook, when: Instant | None) -> Instant:
    """Nothing happened after it was told."""
    return hook.at if when is None else min(when, hook.at)


def _metric(hook: Hook) -> Sightings:
    alert, rule = fields(hook.data, "metric_alert"), metric.rule_of(hook.data)
    number = text(rule.get("id"), longest=40) or f"incident:{text(alert.get('id'), longest=40)}"
    if hook.action not in ("critical", "warning", "open", "resolved"):
        return Sightings(ignored="metric_alert.other")
    if number == "incident:":
        raise Unreadable("it names neither an alert rule nor an incident")
    firing = hook.action != "resolved"
    # `date_started` lies before what was detected by the rule's whole window: before the end of the last incident, too.
    times = [moment(alert.get(name)) for name in ("date_started", "date_detected", "date_created")]
    began = max((found for found in times if found is not None), default=None)
    ends_at = None if firing else max(moment(alert.get("date_closed")) or hook.at, _before(hook, began))
    return _one(
        Sighting(
            source=hook.source.name,
            kind=hook.source.kind,
            fingerprint=f"metric:{number}",
            firing=firing,
            labels=metric.labels(hook.data, hook.action),
            annotations={},
            starts_at=_before(hook, began),
            ends_at=ends_at,
            mark=_mark(alert.get("id"), hook.action, began),
            who=hook.who,
            told=metric.told(hook.data, hook.action),
            raw=bounded(hook.data, events.EVENT_SIZE),
        )
    )


# --- remarks --------------------------------------------------------------------------------------------------------


def _comment(hook: Hook) -> Sightings:
    said = text(hook.data.get("comment"), longest=2000)
    verb = {"created": "commented", "updated": "changed a comment", "deleted": "deleted a comment"}.get(hook.action)
    if verb is None:
        return Sightings(ignored="comment.other")
    parts = {"issue": {"id": text(hook.data.get("issue_id"), longest=40)}}
    once = f"comment:{text(hook.data.get('comment_id'), longest=40)}:{hook.action}:{_mark(said):x}"
    return replace(_remark(hook, parts, Kind.NOTED, f"{verb}: {said}"), delivery=once)


def _seer(hook: Hook) -> Sightings:
    parts: dict[str, Any] = {"issue": {"id": text(hook.data.get("group_id"), longest=40)}}
    found = {name: text(_said(hook.data.get(name)), longest=2000) for name in ("root_cause", "solution")}
    parts["seer"] = {name: said for name, said in found.items() if said}
    asked = [text(fields(row, "pull_request").get("pr_url")) for row in items(hook.data.get("pull_requests"))[:10]]
    said = [f"{name.replace('_', ' ')}: {value}" for name, value in parts["seer"].items()]
    said += [f"pull request: {url}" for url in asked if url]
    if not said:
        return Sightings(ignored="seer.other")
    once = f"seer:{text(hook.data.get('run_id'), longest=40)}:{hook.action}"
    return replace(_remark(hook, parts, Kind.NOTED, f"Seer found the {'; '.join(said)}"), delivery=once)


def _said(part: Any) -> Any:
    """A part of Seer's finding as text."""
    return fields(part).get("description") or fields(part).get("summary") or part


def _activity(hook: Hook) -> Sightings:
    issue, activity = fields(hook.data, "issue"), fields(hook.data, "activity")
    details = fields(activity, "details")
    what = text(activity.get("type"), longest=100).replace("_", " ")
    said = text(details.get("summary"), details.get("text"), details.get("message"), longest=2000)
    alert = text(fields(hook.data, "alert").get("name"), longest=200)
    told = ": ".join(part for part in (alert, what, said) if part)
    return _remark(hook, {"issue": bounded(issue, ISSUE_SIZE)}, Kind.NOTED, told or "an activity without a text")


def _ui_request(hook: Hook) -> Sightings:
    """Somebody saves an alert rule that has this integration as its action: 2xx lets them."""
    del hook
    return Sightings(ignored="alert_rule_action")


def _remark(hook: Hook, parts: Mapping[str, Any], kind: Any, why: str) -> Sightings:
    sighting = _sighting(hook, parts, starts_at=hook.at)
    return Sightings(remarks=(Remark(sighting.fingerprint, kind, hook.who, why, sighting),))


def _one(sighting: Sighting) -> Sightings:
    return Sightings((sighting,))


def _mark(*told: Any) -> int:
    return int.from_bytes(blake2b(repr(told).encode("utf-8", "replace"), digest_size=7).digest(), "big")


_READ: Mapping[str, Callable[[Hook], Sightings]] = {
    "issue": _issue,
    "event_alert": _event,
    "error": _event,
    "metric_alert": _metric,
    "comment": _comment,
    "seer": _seer,
    "activity_alert": _activity,
    "alert_rule_action": _ui_request,
    LEGACY: _legacy,
}
"""By resource; what is not here concerns no alert."""
