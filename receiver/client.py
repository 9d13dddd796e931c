"""alertsage's client for applications: one file, nothing but the standard library, never in the way of its caller.

    service = AlertService("http://127.0.0.1:9911", token)      # or ALERTSAGE_URL and ALERTSAGE_TOKEN
    service.create_system_alert(metric_name="cpu_percent", current_value=92, threshold_value=80, resource="web-1")

Whatever happens (no server, a slow one, a refusal, values that are no JSON), a call returns within `timeout` seconds
and raises nothing, unless `raise_errors` is set: it logs a warning, at most one a minute for each reason, and returns
what was to be told, with `id` None. A server that was not reached is left alone for `pause` seconds. Any number of
threads may share a service. Calls out of its own work (by a logging handler that tells of warnings) do nothing.
"""

import http.client
import json
import logging
import math
import numbers
import os
import queue
import threading
import time
import traceback
import uuid
import weakref
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import Enum, StrEnum
from itertools import islice
from typing import Any, TypedDict, TypeVar, Unpack
from urllib.parse import quote, urlencode, urlsplit

log = logging.getLogger("alertsage.client")
T = TypeVar("T")
LONGEST_TEXT, MOST_VALUES, DEEPEST, LARGEST_ANSWER = 64_000, 10_000, 20, 16 * 2**20
LARGEST_BODY = 900_000
"""Bytes that are told of one alert: any alertsage takes so many."""
LEFT_OUT = "<left out>"
WARN_SECONDS = 60.0
_here = threading.local()


class AlertPriority(StrEnum):
    """How soon somebody has to look."""

    CRITICAL, HIGH, MEDIUM, LOW, INFO = "critical", "high", "medium", "low", "info"


class AlertCategory(StrEnum):
    """What kind of trouble it is."""

    SYSTEM, DATABASE, APPLICATION, PERFORMANCE = "system", "database", "application", "performance"
    SECURITY, BUSINESS, AVAILABILITY = "security", "business", "availability"


class NotificationChannel(StrEnum):
    """Where people may be told of it."""

    EMAIL, SMS, SLACK, WEBHOOK, DISCORD, DASHBOARD = "email", "sms", "slack", "webhook", "discord", "dashboard"
    TEAMS = "teams"


class AlertsageError(Exception):
    """A call failed: one sentence, and the answer's status (0 when there was none). Raised with `raise_errors` only."""

    def __init__(self, sentence: str, status: int = 0, reason: str = "") -> None:
        super().__init__(sentence)
        self.status = status
        self.reason = reason or str(status)


class More(TypedDict, total=False):
    """What every form takes besides its own parameters."""

    title: str
    message: str
    priority: AlertPriority | str
    category: AlertCategory | str
    metadata: Mapping[str, Any]
    recommendations: Sequence[str]
    affected_users: int
    related_logs: str
    notification_channels: Sequence[NotificationChannel | str]
    labels: Mapping[str, str]
    links: Mapping[str, str]
    started_at: datetime


@dataclass
class Alert:
    """An alert to tell of, and the alert that it became. `metadata["recommendations"]` is always there."""

    alert_type: str
    title: str
    message: str = ""
    priority: AlertPriority | str | None = None
    category: AlertCategory | str | None = None
    resource: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    recommendations: list[str] = field(default_factory=list)
    related_logs: str | None = None
    affected_users: int | None = None
    notification_channels: Sequence[NotificationChannel | str] = ()
    value: float | None = None
    threshold: float | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    started_at: datetime | str | None = None
    id: int | None = None
    """None for what alertsage does not know (yet)."""
    status: str = ""
    notification_count: int = 0
    answer: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """All that alertsage says of it."""

    def __post_init__(self) -> None:
        self.metadata = dict(self.metadata or {})
        self.recommendations = list(self.recommendations or self.metadata.get("recommendations") or ())
        self.metadata["recommendations"] = self.recommendations

    @property
    def told(self) -> dict[str, Any]:
        """What is posted of it: the parameters of the plain form."""
        given = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in _ANSWERED}
        given["metadata"] = {name: value for name, value in self.metadata.items() if name != "recommendations"}
        return {name: value for name, value in given.items() if value not in (None, "", (), [], {})}

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> "Alert":
        """The alert in an answer."""
        said = [
            f"{one['text']} {one['command']}" if one["command"] else one["text"] for one in answer["recommendations"]
        ]
        users = (answer.get("impact") or {}).get("users")
        return cls(
            alert_type=answer["name"],
            title=answer["title"],
            message=answer["message"],
            priority=_word(AlertPriority, answer["priority"]),
            category=_word(AlertCategory, answer["category"]),
            resource=answer.get("subject") or "",
            metadata={**(answer.get("metadata") or {}), "recommendations": said},
            recommendations=said,
            related_logs=answer.get("related_logs"),
            affected_users=users if isinstance(users, int) else None,
            notification_channels=answer.get("notification_channels") or (),
            value=answer.get("value"),
            threshold=answer.get("threshold"),
            labels=answer.get("labels") or {},
            links={link["title"]: link["url"] for link in answer.get("links") or ()},
            started_at=answer.get("started_at"),
            id=answer["id"],
            status=answer["status"],
            notification_count=answer["notification_count"],
            answer=answer,
        )


_MEASURED = ("{metric_name} - {resource}", "{metric_name} is at {current_value} (threshold: {threshold_value})")
"""Title and message of what alertsage could not be told."""
_BARE = ("acknowledge", "resolve")
"""Acts that need nobody's name and no words."""
_ANSWERED = ("id", "status", "notification_count", "answer")


class AlertService:
    """The seed's AlertService, over HTTP. `url` and `token` unless given are ALERTSAGE_URL and ALERTSAGE_TOKEN."""

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        timeout: float = 2.0,
        pause: float = 10.0,
        raise_errors: bool = False,
    ) -> None:
        self.url = url or os.environ.get("ALERTSAGE_URL") or "http://127.0.0.1:9911"
        told = token or os.environ.get("ALERTSAGE_TOKEN") or ""
        self._token = "".join(filter(str.isprintable, told)).strip()
        self.timeout, self.pause, self.raise_errors = timeout, pause, raise_errors
        self._lock = threading.Lock()
        _services.add(self)
        self._failing, self._paused_until = False, 0.0
        self._warned: dict[str, tuple[float, int]] = {}

    def create_alert(self, alert: Alert) -> Alert:
        """Tell of it; returns it as alertsage knows it, enriched."""
        return self._guarded(lambda: self._create("", alert.told, alert), alert)

    def create_system_alert(
        self, metric_name: str, current_value: float, threshold_value: float, resource: str, **more: Unpack[More]
    ) -> Alert:
        """A figure of a machine passed its limit: `cpu_percent`, `memory_bytes`."""
        told: dict[str, Any] = {
            "metric_name": metric_name,
            "current_value": current_value,
            "threshold_value": threshold_value,
        }
        return self._form("system", {**told, "resource": resource, **more}, "metric_name", _MEASURED)

    def create_performance_alert(
        self,
        metric_name: str,
        current_value: float,
        threshold_value: float,
        resource: str,
        percentile: str | None = None,
        **more: Unpack[More],
    ) -> Alert:
        """Something is slower, or does less, than it should: `api_response_time_ms`, P95."""
        told: dict[str, Any] = {
            "metric_name": metric_name,
            "current_value": current_value,
            "threshold_value": threshold_value,
        }
        told |= {"resource": resource, "percentile": percentile}
        return self._form("performance", {**told, **more}, "metric_name", _MEASURED)

    def create_business_alert(
        self,
        metric_name: str,
        current_value: float,
        threshold_value: float,
        resource: str,
        period: str | None = None,
        **more: Unpack[More],
    ) -> Alert:
        """A figure of the business is not what it should be: `bookings_per_hour`."""
        told: dict[str, Any] = {
            "metric_name": metric_name,
            "current_value": current_value,
            "threshold_value": threshold_value,
        }
        return self._form(
            "business", {**told, "resource": resource, "period": period, **more}, "metric_name", _MEASURED
        )

    def create_application_error_alert(
        self,
        error_type: str,
        error_message: str,
        stack_trace: str | None = None,
        source: str = "application",
        affected_endpoint: str | None = None,
        error_count: int | None = None,
        **more: Unpack[More],
    ) -> Alert:
        """The program caught an error; `affected_users` tells how many it hit."""
        told: dict[str, Any] = {
            "error_type": error_type or "Error",
            "error_message": error_message,
            "source": source or "application",
        }
        told |= {"stack_trace": stack_trace, "affected_endpoint": affected_endpoint, "error_count": error_count}
        words = "{error_type} in {source}", "{error_message}"
        return self._form("application-error", {**told, **more}, "error_type", words)

    def create_security_alert(
        self,
        event_type: str,
        resource: str,
        description: str | None = None,
        source_ip: str | None = None,
        account: str | None = None,
        attempts: int | None = None,
        threshold_value: float | None = None,
        **more: Unpack[More],
    ) -> Alert:
        """Somebody tries what they should not: `brute_force`, `failed_logins`."""
        told: dict[str, Any] = {
            "event_type": event_type,
            "resource": resource,
            "description": description,
            "source_ip": source_ip,
        }
        told |= {"account": account, "attempts": attempts, "threshold_value": threshold_value}
        return self._form("security", {**told, **more}, "event_type", ("{event_type} - {resource}", "{description}"))

    def create_availability_alert(
        self,
        resource: str,
        error_message: str | None = None,
        endpoint: str | None = None,
        failed_checks: int | None = None,
        **more: Unpack[More],
    ) -> Alert:
        """Something does not answer."""
        told: dict[str, Any] = {"resource": resource, "error_message": error_message, "endpoint": endpoint}
        told |= {"failed_checks": failed_checks}
        return self._form("availability", {**told, **more}, "resource", ("{resource} is down", "{error_message}"))

    def acknowledge_alert(self, alert_id: int | None, acknowledged_by: str = "", notes: str = "") -> Alert | None:
        """Somebody is working on it. Returns the alert, None when that failed (so do those below)."""
        return self._act(alert_id, "acknowledge", lambda: {"who": acknowledged_by, "note": notes})

    def resolve_alert(self, alert_id: int | None, resolved_by: str = "", resolution_notes: str = "") -> Alert | None:
        """It is over; the note says what fixed it, and is shown the next time."""
        return self._act(alert_id, "resolve", lambda: {"who": resolved_by, "note": resolution_notes})

    def suppress_alert(
        self, alert_id: int | None, suppressed_by: str = "", reason: str = "", duration_hours: float = 1
    ) -> Alert | None:
        """Nobody is told of it for so long."""
        said = {"who": suppressed_by, "reason": reason}

        def body() -> dict[str, Any]:
            minutes = round(duration_hours * 60) or int(duration_hours > 0)  # a moment is a minute; none is refused
            return {**said, "duration": f"{minutes}m"}

        return self._act(alert_id, "suppress", body)

    def update_alert(self, alert: Alert, updated_by: str = "") -> Alert | None:
        """Send what was put into `alert.metadata` since it came. Returns the alert as it is then."""

        def changed() -> dict[str, Any]:
            known, now = alert.answer.get("metadata") or {}, _plain(alert.metadata)
            new = {name: value for name, value in now.items() if name not in known or known[name] != value}
            new.pop("recommendations", None)
            return {"who": updated_by, "metadata": new} if new else {}

        return self._act(alert.id, "metadata", changed) or (alert if alert.id is not None else None)

    def get_alert(self, alert_id: int) -> Alert | None:
        """One alert with its history (in `answer`)."""
        return self._guarded(lambda: Alert.of(self._ask("GET", f"/api/v1/alerts/{alert_id}")), None)

    def get_alert_patterns(self, days: int = 7) -> dict[str, Any]:
        """What the alerts of the last days have in common; the seed's keys are there also when that is not known."""
        return {**NO_PATTERNS, **self._guarded(lambda: self._ask("GET", f"/api/v1/patterns?days={days}"), {})}

    def list(self, query: str = "", limit: int = 50, **filters: str) -> Sequence[Alert]:
        """The newest alerts that a search (`priority:critical label.namespace=shop`) and filters leave."""
        asked = urlencode({**({"query": query} if query else {}), "limit": limit, **filters})
        return self._guarded(
            lambda: [Alert.of(one) for one in self._ask("GET", f"/api/v1/alerts?{asked}")["alerts"]], []
        )

    # --- inside -----------------------------------------------------------------------------------------------------

    def _form(self, form: str, told: Mapping[str, Any], name: str, words: tuple[str, str]) -> Alert:
        """Tell it in a form. `name` is the parameter that names the alert, `words` title and message of our own."""
        given, local = _worded(told, name, words)
        return self._guarded(lambda: self._create(f"/{form}", given, local), local)

    def _create(self, path: str, told: Mapping[str, Any], local: Alert) -> Alert:
        given = {name: value for name, value in told.items() if value is not None}
        for name in ("labels", "links"):  # a port is a text there
            if isinstance(given.get(name), Mapping):
                given[name] = {key: str(value) for key, value in given[name].items()}
        answer = self._ask("POST", f"/api/v1/alerts{path}", given)
        return Alert.of(answer) if answer.get("id") else local  # kept by a server whose database is away

    def _act(self, alert_id: int | None, act: str, body: Callable[[], dict[str, Any]]) -> Alert | None:
        if alert_id is None:
            return None  # it never got there, and that was said

        def do() -> Alert | None:
            said = {name: value for name, value in body().items() if value not in ("", None)}
            return (
                Alert.of(self._ask("POST", f"/api/v1/alerts/{alert_id}/{act}", said)) if said or act in _BARE else None
            )

        return self._guarded(do, None)

    def _guarded(self, do: Callable[[], T], otherwise: T) -> T:
        """What `do` returns; `otherwise` when it fails, or when it is called out of the client's own work."""
        if getattr(_here, "busy", False):
            return otherwise
        _here.busy = True
        try:
            return do()
        except AlertsageError as error:
            if self.raise_errors:
                raise
            self._warn(error)
        except Exception as error:
            if self.raise_errors:
                raise AlertsageError(f"{type(error).__name__}: {error}", reason="error") from error
            self._warn(AlertsageError(f"{type(error).__name__}: {error}", reason="error"))
        finally:
            _here.busy = False
        return otherwise

    def _warn(self, error: AlertsageError) -> None:
        """Log it, unless the same reason was logged a moment ago: then it is counted."""
        with self._lock:
            now = time.monotonic()
            last, missed = self._warned.get(error.reason, (-math.inf, 0))
            quiet = now - last < WARN_SECONDS
            self._warned[error.reason] = (last, missed + 1) if quiet else (now, 0)
        if not quiet:
            more = f" ({missed} more calls failed so since that was last said)" if missed else ""
            with suppress(Exception):  # of a broken logging handler: not the caller's trouble
                log.warning("alertsage was not told: %s%s", error, more)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer, decoded. Raises AlertsageError."""
        content = None if body is None else json.dumps(_plain(body), allow_nan=False, ensure_ascii=False).encode()
        with self._lock:
            now = time.monotonic()
            if now < self._paused_until:
                raise AlertsageError("it was not reached a moment ago, and is left alone", reason="unreachable")
            if self._failing:
                self._paused_until = now + self.pause  # this call finds out; no other waits meanwhile
        try:
            status, answer = self._in_time(lambda: self._exchange(method, path, content))
        except (OSError, http.client.HTTPException) as error:
            with self._lock:
                self._failing, self._paused_until = True, time.monotonic() + self.pause
            raise AlertsageError(f"it was not reached ({_why(error)})", reason="unreachable") from error
        with self._lock:
            self._failing, self._paused_until = False, 0.0
        return _read(status, answer)

    def _in_time(self, do: Callable[[], T]) -> T:
        """What `do` returns or raises; TimeoutError when that takes too long, whatever it waits for (names, too)."""
        box: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()

        def work() -> None:
            _here.busy = True
            try:
                box.put((True, do()))
            except BaseException as error:  # noqa: BLE001 - raised where it is waited for
                box.put((False, error))

        try:
            threading.Thread(target=work, name="alertsage-client", daemon=True).start()
        except RuntimeError:  # no thread can be had: the program ends
            return do()
        try:
            done, result = box.get(timeout=self.timeout)
        except queue.Empty:
            raise TimeoutError(f"no answer within {self.timeout:g} s") from None
        if not done:
            raise result
        found: T = result
        return found

    def _exchange(self, method: str, path: str, content: bytes | None) -> tuple[int, bytes]:
        headers = {"Accept": "application/json", "User-Agent": "alertsage-client"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if content is not None:
            headers |= {"Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex}
        try:
            return self._once(method, path, content, headers)
        except (ConnectionResetError, ConnectionAbortedError, BrokenPipeError):
            return self._once(method, path, content, headers)  # the key tells it from another alert

    def _once(self, method: str, path: str, content: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        url = urlsplit(self.url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise AlertsageError("its URL does not begin with http:// or https:// and a name", reason="url")
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        connection = kind(url.hostname, url.port, timeout=self.timeout)
        try:
            connection.request(method, quote(url.path.rstrip("/")) + path, content, headers)
            answer = connection.getresponse()
            return answer.status, answer.read(LARGEST_ANSWER)
        finally:
            connection.close()


_services: "weakref.WeakSet[AlertService]" = weakref.WeakSet()


def _forked() -> None:
    """In a forked child: another thread of the parent may have held a lock, and is not here to give it back."""
    for service in _services:
        service._lock = threading.Lock()  # noqa: SLF001 - this module's own


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)

NO_PATTERNS: Mapping[str, Any] = {
    "total_alerts": 0,
    "most_common_type": None,
    "peak_hour": None,
    "avg_resolution_time_minutes": None,
    "type_distribution": {},
    "hourly_distribution": [0] * 24,
}


def sentry_before_send(service: AlertService) -> Callable[[Any, Any], Any]:
    """A `before_send` for sentry_sdk.init: each error also becomes an alert; the event goes on whatever happens."""

    def before_send(event: Any, hint: Any) -> Any:
        try:
            _tell_of(service, event, hint or {})
        except Exception:
            log.debug("an event of Sentry could not be told", exc_info=True)
        return event

    return before_send


def _tell_of(service: AlertService, event: Mapping[str, Any], hint: Mapping[str, Any]) -> None:
    values = (event.get("exception") or {}).get("values") or []
    said = (event.get("logentry") or {}).get("formatted") or (event.get("logentry") or {}).get("message")
    if not values and event.get("level") not in ("error", "fatal"):
        return
    raised = values[-1] if values else {"type": event.get("logger") or "Error", "value": said or event.get("message")}
    stack = "".join(traceback.format_exception(*hint["exc_info"])) if hint.get("exc_info") else None
    asked = event.get("request") or {}
    url = str(asked.get("url") or "").partition("?")[0]
    service.create_application_error_alert(
        error_type=raised.get("type") or "Error",
        error_message=raised.get("value") or "",
        stack_trace=stack,
        source=_route(event) or url or event.get("transaction") or event.get("server_name") or "application",
        affected_endpoint=f"{asked.get('method', 'GET')} {urlsplit(url).path}" if url else event.get("transaction"),
    )


def _route(event: Mapping[str, Any]) -> str:
    """The SDK's name of the route (`/users/{id}`): the address would make an alert of each user."""
    name = str(event.get("transaction") or "")
    return "" if name.startswith("generic ") else name  # "generic WSGI request" names none


def _read(status: int, content: bytes) -> Any:
    try:
        answer = json.loads(content)
    except ValueError:
        answer = None
    if 200 <= status < 300 and isinstance(answer, dict):
        return answer
    detail = answer.get("detail") if isinstance(answer, dict) else None
    raise AlertsageError(f"it answered {status}: {detail or 'is this alertsage?'}", status)


def _why(error: Exception) -> str:
    return f"{error}" if isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"


def _word(words: type[StrEnum], told: str) -> Any:
    """The word, or the text itself when a newer server says one that is not known here."""
    return words(told) if told in list(words) else told


def _worded(told: Mapping[str, Any], name: str, words: tuple[str, str]) -> tuple[Mapping[str, Any], Alert]:
    """The parameters as JSON can say them, and the alert in words of our own. Raises nothing, however deep it is."""
    try:
        given = _plain(told)
        said = defaultdict(str, {key: value for key, value in given.items() if value is not None})
        title, message = (template.format_map(said) for template in words)
        return given, Alert(str(said[name]), title, message, resource=str(said["resource"] or said["source"]))
    except Exception:  # noqa: BLE001 - at the end of the stack nothing can be called any more
        return told, Alert("", "")


def _plain(told: Any) -> Any:
    """What JSON can say of it: bounded, whatever it is. Never raises."""
    return _Plain().value(told, 0)


class _Plain:
    """One walk through a value. What there is no room for is left out, what holds other values last."""

    def __init__(self) -> None:
        self.left, self.room = MOST_VALUES, LARGEST_BODY

    def value(self, told: Any, depth: int) -> Any:
        self.left -= 1
        try:
            if told is None or isinstance(told, bool):
                return told
            if _holds(told):
                return self.many(told, depth + 1) if depth < 2 or (depth < DEEPEST and self.more) else LEFT_OUT
            return self.fitted(self.single(told))
        except Exception as error:  # noqa: BLE001 - one value that cannot be read must not cost the alert
            return f"<{type(told).__name__}: {type(error).__name__}>"

    @property
    def more(self) -> bool:
        return self.left > 0 and self.room > 0

    def many(self, told: Any, depth: int) -> Any:
        if not isinstance(told, Mapping):
            kept = [self.value(item, depth) for item in islice(told, MOST_VALUES) if self.more]
            return kept if len(kept) == len(told) else [*kept, LEFT_OUT]
        items = list(told.items())
        if depth == 1:  # the parameters: whatever is large must not cost the alert those that it needs
            items.sort(key=lambda item: (_holds(item[1]), item[0] == "metadata"))
        named: dict[str, Any] = {}
        for name, item in items[:MOST_VALUES]:
            if depth > 1 and not self.more:
                return {**named, LEFT_OUT: LEFT_OUT}
            key = _whole(str(name)[:300])
            self.room -= _size(key)
            named[key] = self.value(item, depth)
        return named

    def fitted(self, told: Any) -> Any:
        """The single value; a text only while there is room."""
        if isinstance(told, str) and len(told) > len(LEFT_OUT) and _size(told) > self.room:
            return LEFT_OUT
        self.room -= _size(told)
        return told

    def single(self, told: Any) -> Any:
        if isinstance(told, Enum):
            told = told.value
        if isinstance(told, numbers.Number):
            number = int(told) if isinstance(told, numbers.Integral) else float(told)  # type: ignore[arg-type]
            return number if math.isfinite(number) else None
        if isinstance(told, datetime):
            return (told if told.tzinfo else told.astimezone()).isoformat()
        text = told.__name__ if isinstance(told, type) else str(told)
        if len(text) > LONGEST_TEXT:  # a stack trace says at its end what happened
            text = f"{text[: LONGEST_TEXT // 2]} [cut] {text[-LONGEST_TEXT // 2 :]}"
        return _whole(text)


def _size(told: Any) -> int:
    """Bytes of it in JSON, with what stands around it."""
    return len(json.dumps(told, ensure_ascii=False).encode()) + 4


def _whole(text: str) -> str:
    """Without the half characters that no encoding can say."""
    return text.encode("utf-8", "replace").decode()


def _holds(told: Any) -> bool:
    """Whether it is made of other values."""
    return isinstance(told, Mapping | Sequence | set | frozenset) and not isinstance(told, str | bytes | bytearray)
