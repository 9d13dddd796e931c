"""Sentry's webhooks as its integration platform posts them, made for tests."""

import hashlib
import hmac
import json
import time
from typing import Any

from tests.support import Answer, Site

SECRET = "5f8a1c0e9b7d4e3f"


def issue(number: Any = "42", **fields: Any) -> dict[str, Any]:
    """`data.issue`."""
    return {
        "id": number,
        "shortId": "SHOP-1",
        "title": "StockError: cannot reserve order 17",
        "culprit": "/api/orders/{id}",
        "level": "error",
        "status": "unresolved",
        "substatus": "new",
        "platform": "python",
        "project": {"id": "7", "name": "shop", "slug": "shop"},
        "metadata": {"type": "StockError", "value": "cannot reserve order 17", "filename": "shop/orders.py"},
        "count": "3",
        "userCount": 2,
        "firstSeen": "2026-11-20T08:00:00Z",
        "lastSeen": "2026-11-20T08:10:00Z",
        "web_url": f"https://sentry.example.org/organizations/acme/issues/{number}/",
    } | fields


def event(number: Any = "42", happened: float | None = None, **fields: Any) -> dict[str, Any]:
    """`data.event` of an issue; `happened` in seconds since 1970."""
    frames = [
        {"filename": "django/core/handlers.py", "lineno": 55, "function": "inner", "in_app": False},
        {
            "filename": "shop/orders.py",
            "lineno": 88,
            "function": "reserve",
            "in_app": True,
            "context_line": "    raise StockError(order)",
            "vars": {"order": "<Order 17>", "api_token": "'planted-in-vars'"},
        },
    ]
    return {
        "event_id": "9b3d8a3b2a5f4b1c8e6d0a1f2c3b4a5e",
        "project": 7,
        "issue_id": number,
        "title": "StockError: cannot reserve order 17",
        "level": "error",
        "environment": "production",
        "release": "shop@1.2.3",
        "platform": "python",
        "culprit": "/api/orders/{id}",
        "transaction": "/api/orders/{id}",
        "received": time.time() if happened is None else happened,
        "tags": [["environment", "production"], ["team", "checkout"], ["empty", None]],
        "request": {"method": "POST", "url": "https://shop.example.org/api/orders/17", "headers": [["Host", "shop"]]},
        "exception": {
            "values": [
                {"type": "KeyError", "value": "'sku'", "stacktrace": {"frames": frames[:1]}},
                {"type": "StockError", "value": "cannot reserve order 17", "stacktrace": {"frames": frames}},
            ]
        },
        "url": "https://sentry.example.org/api/0/projects/acme/shop/events/9b3d/",
        "web_url": f"https://sentry.example.org/organizations/acme/issues/{number}/events/9b3d/",
    } | fields


def hook(action: str, **data: Any) -> dict[str, Any]:
    """A body."""
    actor = {"type": "user", "id": 1, "name": "Ada"}
    return {"action": action, "installation": {"uuid": "a8e5"}, "data": data, "actor": actor}


def legacy(number: str = "42", **fields: Any) -> dict[str, Any]:
    """A body of the legacy plugin."""
    return {
        "id": number,
        "project": "shop",
        "project_name": "shop",
        "project_slug": "shop",
        "level": "error",
        "culprit": "/api/orders",
        "message": "",
        "url": f"https://sentry.example.org/organizations/acme/issues/{number}/?referrer=webhooks_plugin",
        "triggering_rules": ["Page us"],
        "event": event(number),
    } | fields


async def post(
    site: Site, resource: str | None, body: Any, *, at: float | None = None, name: str = "", **headers: str
) -> Answer:
    """Deliver a body as Sentry does, sent `at` (seconds since 1970; now if None)."""
    told = {"Content-Type": "application/json"} | {key.replace("_", "-"): value for key, value in headers.items()}
    if resource:
        told |= {"Sentry-Hook-Resource": resource, "Sentry-Hook-Timestamp": str(int(time.time() if at is None else at))}
    return await site.post(f"/webhook/sentry{name and '/'}{name}", json.dumps(body).encode(), **told)


def signature(body: bytes, secret: str = SECRET) -> str:
    """What Sentry puts in `Sentry-Hook-Signature`."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
