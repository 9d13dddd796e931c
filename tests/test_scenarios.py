"""The eight scenarios of the owner's document: as an application's JSON, and as Alertmanager tells them."""

from pathlib import Path

import pytest

from tests.servers import explain_json

SCENARIOS = Path(__file__).parent.parent / "examples" / "scenarios"
TOLD = {
    "slow-query": (
        "high",
        "database",
        "Slow Database Query on Bookings Table",
        "Query is at 5.23 s (threshold: 1 s, exceeded by 423.0%).",
        [
            "EXPLAIN ''SELECT * FROM bookings WHERE customer_id = ?'",
            "Seq Scan on bookings (50,000 rows)",
            "CREATE INDEX",
        ],
    ),
    "high-cpu": (
        "critical",
        "system",
        "High CPU Usage - web-server-01",
        "CPU is at 95.3% (threshold: 80%, exceeded by 19.1%).",
        [
            "gunicorn (process 12345), which takes 45.2%",
            'ssh web-server-01 "top -H -b -n 1 -p 12345',
            "half an hour",
            "deployments",
        ],
    ),
    "payment-error": (
        "medium",
        "application",
        "StripeAPIError in booking_service",
        "Card declined: insufficient_funds",
        ["status page", "POST /api/v1/bookings", "idempotency key"],
    ),
    "memory-leak": (
        "high",
        "system",
        "Memory of booking-api grows without end",
        "Memory is at 86% (threshold: 70%, exceeded by 22.9%).",
        ["heap dump", "releases of booking-api", "ps -eo pid,rss"],
    ),
    "slow-api": (
        "high",
        "performance",
        "P95 of /api/bookings is slow",
        "API response time is at 1.87 s (threshold: 1 s, exceeded by 87.0%).",
        [
            "more requests is load",
            "(database pool, lock, another service)",
            "slowest lines of the access log of booking-api",
        ],
    ),
    "database-down": (
        "critical",
        "availability",
        "PostgreSQL on db-01 is down",
        "connection refused on port 5432, three checks in a row",
        ["db-01"],
    ),
    "failed-logins": (
        "high",
        "security",
        "45 failed logins in ten minutes",
        "Failed logins is at 45 (threshold: 10).",
        ["by address and by account", "203.0.113.7", "login that succeeded"],
    ),
    "bookings-drop": (
        "high",
        "business",
        "Bookings are 35% below the usual Friday",
        "Bookings per hour is at 13 (threshold: 20, below it by 35.0%).",
        ["as a customer", "same hour of the last weeks", "funnel"],
    ),
}
ALERTMANAGER = {
    "PostgresqlSlowQueries": ("high", "database", "exceeded by 423.0%"),
    "HostHighCpuLoad": ("critical", "system", "CPU is at 95.3% (threshold: 80%, exceeded by 19.1%)."),
    "ProcessMemoryLeak": ("high", "system", "the slope of process_resident_memory_bytes"),
    "ApiP95Slow": ("high", "performance", "(threshold: 1 s, exceeded by 87.0%)."),
    "PostgresqlDown": ("critical", "availability", "PostgreSQL on db-01 is down"),
    "TooManyFailedLogins": ("high", "security", "is at 45 (threshold: 10)."),
    "BookingRateDrop": ("high", "business", "is at 13 (threshold: 20, below it by 35.0%)."),
}


def said(explained):
    """All that is recommended, as one text."""
    return "\n".join(f"{one['text']} {one['command']}" for one in explained["recommendations"])


@pytest.mark.parametrize("name", TOLD)
def test_what_an_application_posts(name):
    arguments = ("--config", str(SCENARIOS / "config.yaml"), "--source", "app", str(SCENARIOS / f"{name}.json"))
    (explained,) = explain_json(*arguments)
    priority, category, title, message, recommended = TOLD[name]
    assert (explained["priority"], explained["category"]) == (priority, category)
    assert (explained["title"], explained["message"]) == (title, message)
    assert 3 <= len(explained["recommendations"]) <= 6
    assert [words for words in recommended if words not in said(explained)] == []


def test_the_users_that_are_hit_are_named_with_who_says_so():
    arguments = ("--config", str(SCENARIOS / "config.yaml"), "--source", "app")
    (stripe,) = explain_json(*arguments, str(SCENARIOS / "payment-error.json"))
    (cpu,) = explain_json(*arguments, str(SCENARIOS / "high-cpu.json"))
    assert stripe["impact"] == {"users": 3, "source": "source:app"}
    assert cpu["impact"] == {"users": "unknown", "source": None}


def test_what_alertmanager_tells():
    explained = {one["labels"]["alertname"]: one for one in explain_json(str(SCENARIOS / "alertmanager.json"))}
    assert set(explained) == set(ALERTMANAGER)
    for name, (priority, category, message) in ALERTMANAGER.items():
        one = explained[name]
        assert (name, one["priority"], one["category"]) == (name, priority, category)
        assert message in one["message"]
        assert len(one["recommendations"]) >= 3
        assert any(recommendation["command"] for recommendation in one["recommendations"])


def test_every_scenario_is_tried():
    bodies = {path.stem for path in SCENARIOS.glob("*.json")}
    assert bodies == set(TOLD) | {"alertmanager"}
