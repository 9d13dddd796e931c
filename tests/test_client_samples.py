"""The code samples of the owner's document, nearly word for word, through the client against a running server."""

import logging
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sentry_sdk

from receiver.client import (
    Alert,
    AlertCategory,
    AlertPriority,
    AlertService,
    NotificationChannel,
    sentry_before_send,
)
from tests.servers import Server, running

REPO = Path(__file__).parent.parent


@pytest.fixture
def server(tmp_path: Path, engine: str) -> Iterator[Server]:
    del engine
    with running(tmp_path) as served:
        yield served


@pytest.fixture
def alert_service(server: Server) -> AlertService:
    return AlertService(server.url, timeout=10, raise_errors=True)


# --- the document's own two tests ---------------------------------------------------------------------------------


@pytest.mark.only("sqlite")
def test_create_system_alert(alert_service: AlertService) -> None:
    service = alert_service

    alert = service.create_system_alert(
        metric_name="cpu_percent",
        current_value=95,
        threshold_value=80,
        resource="test-server",
    )

    assert alert.priority == AlertPriority.CRITICAL
    assert "exceeded by" in alert.message
    assert len(alert.metadata["recommendations"]) > 0


def test_deduplication(alert_service: AlertService) -> None:
    service = alert_service
    cpu: Any = {
        "metric_name": "cpu_percent",
        "current_value": 92,
        "threshold_value": 80,
        "resource": "web-server-01",
    }

    # Create same alert twice
    alert1 = service.create_system_alert(**cpu)
    alert2 = service.create_system_alert(**cpu)  # Same type + resource

    assert alert1.id == alert2.id  # Same alert
    assert alert2.notification_count == 2  # Count incremented
    for _ in range(58):
        alert2 = service.create_system_alert(**cpu)
    assert (alert2.id, alert2.notification_count) == (alert1.id, 60)


# --- creating -----------------------------------------------------------------------------------------------------


@pytest.mark.only("sqlite")
def test_the_first_alert(alert_service: AlertService) -> None:
    # Simple system alert
    alert = alert_service.create_system_alert(
        metric_name="cpu_percent",
        current_value=92,
        threshold_value=80,
        resource="web-server-01",
    )
    assert alert.title == "High CPU Usage - web-server-01"
    assert alert.message == "CPU is at 92% (threshold: 80%, exceeded by 15.0%)"
    assert alert.priority is AlertPriority.HIGH
    said = " ".join(alert.metadata["recommendations"])
    assert "processes" in said
    assert "deployment" in said


@pytest.mark.only("sqlite")
def test_database_slow_query(alert_service: AlertService) -> None:
    alert = Alert(
        alert_type="database_slow_query",
        title="Slow Database Query on Bookings Table",
        message="Query took 5.23 seconds (threshold: 1.0s, exceeded by 423%)",
        priority=AlertPriority.HIGH,
        category=AlertCategory.DATABASE,
        resource="bookings table",
        metadata={
            "query": "SELECT * FROM bookings WHERE customer_id = ?",
            "execution_plan": "Seq Scan on bookings (50,000 rows)",
            "rows_scanned": 50000,
        },
        recommendations=[
            "✅ Add index: CREATE INDEX idx_bookings_customer_id ON bookings(customer_id)",
            "✅ Review execution plan: EXPLAIN ANALYZE SELECT ...",
            "⚠️ Current sequential scan is reading all 50k rows",
        ],
        related_logs="/var/log/postgresql/slow_queries.log",
        affected_users=15,
        notification_channels=[
            NotificationChannel.EMAIL,  # Send email
            NotificationChannel.SMS,  # Send text message (critical only)
            NotificationChannel.SLACK,  # Post to #alerts channel
            NotificationChannel.WEBHOOK,  # POST to custom endpoint
            NotificationChannel.DISCORD,  # Discord webhook
            NotificationChannel.DASHBOARD,  # Show in admin dashboard
        ],
    )

    db_alert = alert_service.create_alert(alert)

    assert (db_alert.title, db_alert.message) == (alert.title, alert.message)
    assert (db_alert.priority, db_alert.category) == (AlertPriority.HIGH, AlertCategory.DATABASE)
    assert (db_alert.alert_type, db_alert.resource) == ("database_slow_query", "bookings table")
    assert db_alert.metadata["recommendations"][:3] == alert.recommendations
    assert db_alert.metadata["query"] == "SELECT * FROM bookings WHERE customer_id = ?"
    assert (db_alert.related_logs, db_alert.affected_users) == ("/var/log/postgresql/slow_queries.log", 15)
    assert db_alert.notification_channels == ["email", "sms", "slack", "webhook", "discord", "dashboard"]


def test_high_cpu_with_process_details(alert_service: AlertService) -> None:
    alert = alert_service.create_system_alert(
        metric_name="cpu_percent",
        current_value=95.3,
        threshold_value=80.0,
        resource="web-server-01",
    )

    # Enhance with process details
    alert.metadata.update(
        {
            "top_processes": [
                {"name": "gunicorn", "cpu": 45.2, "pid": 12345},
                {"name": "celery", "cpu": 30.1, "pid": 12346},
            ],
            "load_average": [8.5, 7.2, 6.1],
        }
    )
    alert_service.update_alert(alert)

    assert alert.id is not None
    known = alert_service.get_alert(alert.id)
    assert known is not None
    assert known.metadata["top_processes"] == alert.metadata["top_processes"]
    assert known.metadata["load_average"] == [8.5, 7.2, 6.1]
    alert_service.create_system_alert("cpu_percent", 96, 80, "web-server-01")
    known = alert_service.get_alert(alert.id)
    assert known is not None
    assert known.metadata["load_average"] == [8.5, 7.2, 6.1]  # a repeat takes nothing of it away


@pytest.mark.only("sqlite")
def test_application_error_with_stack_trace(alert_service: AlertService) -> None:
    alert = alert_service.create_application_error_alert(
        error_type="StripeAPIError",
        error_message="Card declined: insufficient_funds",
        stack_trace="Traceback...\n  File booking_service.py...\n  StripeAPIError...",
        source="booking_service",
        affected_endpoint="POST /api/v1/bookings",
        affected_users=3,
        error_count=5,
    )
    assert (alert.title, alert.message) == ("StripeAPIError in booking_service", "Card declined: insufficient_funds")
    assert (alert.priority, alert.affected_users) == (AlertPriority.MEDIUM, 3)
    assert "status page" in " ".join(alert.metadata["recommendations"])
    facts = alert.answer["facts"]
    assert (facts["endpoint"], facts["error_count"]) == ("POST /api/v1/bookings", 5)
    assert facts["stack"].startswith("Traceback...")


class SystemHealthMonitor:
    """The document's own, with a figure for psutil's."""

    cpu_threshold = 80

    def __init__(self, service: AlertService) -> None:
        self.alert_service = service

    def check_cpu(self) -> None:
        cpu_percent = 99.0

        if cpu_percent > self.cpu_threshold:
            self.alert_service.create_system_alert(
                metric_name="cpu_percent",
                current_value=cpu_percent,
                threshold_value=self.cpu_threshold,
                resource=socket.gethostname(),
            )


@pytest.mark.only("sqlite")
def test_from_monitors_of_ones_own(alert_service: AlertService) -> None:
    SystemHealthMonitor(alert_service).check_cpu()
    p95 = 1.87
    alert_service.create_performance_alert(
        metric_name="api_response_time_ms",
        current_value=p95 * 1000,
        threshold_value=1000,
        resource="/api/bookings",
        percentile="P95",
    )
    slow, cpu = alert_service.list()
    assert slow.message == "API response time is at 1.87 s (threshold: 1 s, exceeded by 87.0%)"
    assert (slow.priority, slow.category) == (AlertPriority.HIGH, AlertCategory.PERFORMANCE)
    assert (cpu.resource, cpu.priority) == (socket.gethostname(), AlertPriority.CRITICAL)
    assert alert_service.list(category="performance")[0].id == slow.id


@pytest.mark.only("sqlite")
def test_the_other_forms(alert_service: AlertService) -> None:
    security = alert_service.create_security_alert(
        event_type="failed_logins", resource="admin login", attempts=45, threshold_value=10, source_ip="203.0.113.7"
    )
    assert "203.0.113.7" in " ".join(security.metadata["recommendations"])
    business = alert_service.create_business_alert("bookings_per_hour", 13, 20, "booking site")
    assert business.message == "Bookings per hour is at 13 (threshold: 20, below it by 35.0%)"
    down = alert_service.create_availability_alert("PostgreSQL on db-01", "connection refused", failed_checks=3)
    assert (down.title, down.priority) == ("PostgreSQL on db-01 is down", AlertPriority.CRITICAL)
    assert {security.category, business.category, down.category} == {
        AlertCategory.SECURITY,
        AlertCategory.BUSINESS,
        AlertCategory.AVAILABILITY,
    }


# --- the lifecycle ------------------------------------------------------------------------------------------------


def test_acknowledge_resolve_suppress(alert_service: AlertService) -> None:
    one = alert_service.create_system_alert("cpu_percent", 92, 80, "web-server-01")
    two = alert_service.create_system_alert("cpu_percent", 92, 80, "web-server-02")
    # Someone is working on it
    alert_service.acknowledge_alert(
        alert_id=one.id,
        acknowledged_by="admin@myhibachi.com",
        notes="Investigating slow query, checking execution plan",
    )
    assert alert_service.get_alert(one.id).status == "acknowledged"
    # Problem fixed!
    alert_service.resolve_alert(
        alert_id=one.id,
        resolved_by="admin@myhibachi.com",
        resolution_notes="Added composite index on (customer_id, status). Query now takes 45ms.",
    )
    resolved = alert_service.get_alert(one.id)
    assert resolved.status == "resolved"
    assert [(entry["kind"], entry["who"]) for entry in resolved.answer["changes"]] == [
        ("opened", "source:api"),
        ("acknowledged", "admin@myhibachi.com"),
        ("resolved", "admin@myhibachi.com"),
    ]
    # Temporarily mute during planned maintenance
    suppressed = alert_service.suppress_alert(
        alert_id=two.id, suppressed_by="admin@myhibachi.com", reason="Planned database maintenance", duration_hours=2
    )
    assert suppressed.status == "suppressed"
    again = alert_service.create_system_alert("cpu_percent", 93, 80, "web-server-02")
    assert (again.id, again.status) == (two.id, "suppressed")
    # what fixed it last time is said the next time
    anew = alert_service.create_system_alert("cpu_percent", 92, 80, "web-server-01")
    assert anew.id == one.id
    assert "composite index" in alert_service.get_alert(one.id).metadata["recommendations"][0]


def test_patterns(alert_service: AlertService, capsys: pytest.CaptureFixture[str]) -> None:
    for resource in ("a", "b", "c"):
        alert_service.create_system_alert("cpu_percent", 92, 80, resource)
    alert_service.create_availability_alert("db")
    # Analyze last 7 days of alerts
    patterns = alert_service.get_alert_patterns(days=7)

    print(f"Total alerts: {patterns['total_alerts']}")
    print(f"Most common: {patterns['most_common_type']}")
    print(f"Peak hour: {patterns['peak_hour']}:00")
    print(f"Avg resolution: {patterns['avg_resolution_time_minutes']} minutes")

    # Type distribution
    for alert_type, count in patterns["type_distribution"].items():
        print(f"  {alert_type}: {count}")

    # Hourly pattern (detect rush hours)
    for hour, count in enumerate(patterns["hourly_distribution"]):
        if count > 3:
            print(f"⚠️ High alert volume at {hour}:00 ({count} alerts)")
    assert patterns["type_distribution"] == {"cpu_percent_high": 3, "service_down": 1}
    assert (patterns["total_alerts"], patterns["most_common_type"]) == (4, "cpu_percent_high")
    assert sum(patterns["hourly_distribution"]) == 4
    assert "cpu_percent_high: 3" in capsys.readouterr().out


# --- Sentry's SDK -------------------------------------------------------------------------------------------------


class Kept(sentry_sdk.transport.Transport):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Any] = []

    def capture_envelope(self, envelope: Any) -> None:
        event = envelope.get_event()
        if event:
            self.events.append(event)


@pytest.fixture
def kept() -> Iterator[Kept]:
    yield Kept()
    sentry_sdk.init()


def begin(before_send: Any, kept: Kept, **options: Any) -> None:
    sentry_sdk.init(
        dsn="http://key@127.0.0.1:9/1",
        before_send=before_send,
        transport=kept,
        auto_enabling_integrations=False,
        **options,
    )


@pytest.mark.only("sqlite")
def test_before_send_as_in_the_document(alert_service: AlertService, kept: Kept) -> None:
    def sentry_before_send(event: Any, hint: Any) -> Any:
        # Create alert from Sentry event
        alert_service.create_application_error_alert(
            error_type=event["exception"]["values"][0]["type"],
            error_message=event["exception"]["values"][0]["value"],
            stack_trace=str(hint["exc_info"]),
            source=event["request"]["url"],
        )
        return event

    begin(sentry_before_send, kept)
    with sentry_sdk.new_scope() as scope:
        scope.add_event_processor(lambda event, _: event | {"request": {"url": "https://shop.example.org/pay"}})
        try:
            raise LookupError("no such booking")  # noqa: TRY301
        except LookupError:
            sentry_sdk.capture_exception()
    (alert,) = alert_service.list()
    assert alert.title == "LookupError in https://shop.example.org/pay"
    assert alert.message == "no such booking"
    assert len(kept.events) == 1


@pytest.mark.only("sqlite")
def test_before_send_of_the_client(alert_service: AlertService, kept: Kept) -> None:
    begin(sentry_before_send(alert_service), kept)
    try:
        int("no number")
    except ValueError as error:
        wrapped = LookupError("outer")
        wrapped.__cause__ = error
        sentry_sdk.capture_exception(wrapped)
    sentry_sdk.capture_message("only so", level="info")  # neither exception nor request, and nobody's trouble
    sentry_sdk.capture_message("a fatal message", level="fatal")
    logging.getLogger("shop").error("logged %s", "once")
    titles = {alert.alert_type: alert for alert in alert_service.list()}
    assert set(titles) == {"LookupError", "Error", "shop"}
    assert titles["LookupError"].message == "outer"
    assert re.match(
        r"test_client_samples\.py|/.*test_client_samples\.py:\d+ in", titles["LookupError"].answer["facts"]["frame"]
    )
    assert titles["shop"].message == "logged once"
    assert len(kept.events) == 4


@pytest.mark.only("sqlite")
@pytest.mark.parametrize(
    ("transaction", "sources"),
    [
        ("/users/{id}", {"/users/{id}"}),
        ("generic WSGI request", {"https://a.example/users/1", "https://a.example/users/2"}),
    ],
)
def test_an_error_of_a_route_is_one_alert(
    alert_service: AlertService, kept: Kept, transaction: str, sources: set[str]
) -> None:
    begin(sentry_before_send(alert_service), kept)
    for user in (1, 2):
        with sentry_sdk.new_scope() as scope:
            scope.set_transaction_name(transaction)
            url = f"https://a.example/users/{user}?secret=1"
            scope.add_event_processor(lambda event, _, url=url: event | {"request": {"url": url, "method": "PUT"}})
            sentry_sdk.capture_exception(LookupError("no such user"))
    alerts = alert_service.list()
    assert {alert.resource for alert in alerts} == sources
    assert sum(alert.notification_count for alert in alerts) == 2
    assert {str(alert.answer["facts"]["endpoint"])[:-1] for alert in alerts} == {"PUT /users/"}


@pytest.mark.only("sqlite")
def test_an_event_goes_on_when_nobody_is_there(kept: Kept) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    service = AlertService(url, timeout=0.5)
    # even the client's own warning becomes an event, which must not be told again
    levels = sentry_sdk.integrations.logging.LoggingIntegration(event_level=logging.WARNING)
    begin(sentry_before_send(service), kept, integrations=[levels])
    began = time.monotonic()
    for _ in range(20):
        sentry_sdk.capture_message("away", level="error")
    assert time.monotonic() - began < 3
    assert len([event for event in kept.events if event.get("message") == "away"]) == 20
    assert len(kept.events) == 21


@pytest.mark.parametrize(
    ("event", "hint"),
    [
        ({}, None),
        ({"level": "error"}, {}),
        ({"exception": None, "request": None}, {}),
        (None, None),
        ({"exception": 3}, 4),
    ],
)
@pytest.mark.only("sqlite")
def test_any_event_goes_through(event: Any, hint: Any) -> None:
    assert sentry_before_send(AlertService("http://127.0.0.1:9", timeout=0.2))(event, hint) is event
