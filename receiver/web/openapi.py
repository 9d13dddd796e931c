"""The API's document (OpenAPI 3.1), made of the table that serves."""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from receiver.domain.tokens import NAME
from receiver.sources import SENDERS
from receiver.web.shapes import Problem
from receiver.web.table import Asks, Operation, Route

TAGS: Mapping[str, str] = {
    "webhooks": "Senders tell of alerts here. Their bodies are their own; see the page of each sender.",
    "alerts": "Alerts: look at them, and tell of them.",
    "acts": "What people do about alerts: each act is kept, with who, when and why.",
    "silences": "Keep alerts quiet that are expected: once, or in a window that recurs.",
    "patterns": "What many alerts say together: when they come, which rules are noise.",
    "rules": "The rule book that judges alerts and advises: look into it, and try it.",
    "tokens": "Who may ask for what.",
    "operation": "Look after alertsage itself.",
}
"""In the order of the document; a tag with nothing in it is left out."""
ABOUT = """
Every answer from 400 up is a problem document (RFC 9457) whose `detail` is one plain sentence. A slash at the end of
a path is accepted, nothing is ever redirected, and where there is GET there is HEAD. Moments are RFC 3339 in UTC.
Texts in alerts are what senders wrote: data, to be escaped where they are shown. Answers may grow fields; skip those
that you do not know.
""".strip()
PLACES: Mapping[str, tuple[dict[str, Any], Any, str]] = {
    "tokens name": ({"type": "string", "pattern": NAME}, "grafana-prod", "The name of the token."),
    "id": ({"type": "integer", "minimum": 1, "maximum": 10**18 - 1}, 1, "Its number."),
    "kind": ({"enum": [kind for kind in SENDERS if kind != "grafana"]}, "alertmanager", "The kind of sender."),
    "rule": ({"type": "string", "minLength": 1}, "disk-nearly-full", "The id of the rule."),
    "name": ({"type": "string", "minLength": 1}, "alertmanager", "The name of the configured source."),
}
"""The blanks of paths (those of one tag before those of all): schema, usual example, meaning."""
SCHEMES: Mapping[str, dict[str, str]] = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API token, or `server.token`; the scopes it needs stand beside each operation. Asked for"
        " once either exists; until then only requests from the same machine are answered.",
    },
    "sourceBearer": {"type": "http", "scheme": "bearer", "description": "`sources.NAME.auth.bearer`"},
    "sourceBasic": {"type": "http", "scheme": "basic", "description": "`sources.NAME.auth.basic`"},
    "sourceUrlToken": {
        "type": "apiKey",
        "in": "query",
        "name": "token",
        "description": "`sources.NAME.auth.url_token`, for senders that can only be given an address.",
    },
    "sourceSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "Sentry-Hook-Signature",
        "description": "HMAC-SHA256 of the body in hex, by a secret of `sources.NAME.auth.signature`. Grafana sends it"
        " as `X-Grafana-Alerting-Signature`; other names, and headers with a plain secret, are set for each source.",
    },
}
_NOTHING: dict[str, list[str]] = {}
_SOURCES = [_NOTHING, *[{name: list[str]()} for name in SCHEMES if name.startswith("source")]]
_MEANS: Mapping[int, str] = {
    400: "The body or a parameter can never be taken as it is.",
    401: "The credentials are missing or wrong.",
    403: "Not with these credentials, not from here, or not by a page of another site.",
    404: "There is no such thing.",
    409: "It does not fit what has happened meanwhile; the sentence says who did what.",
    410: "It is gone.",
    412: "It has changed since it was read.",
    413: "The body is larger than the limits allow.",
    415: "The body is of another type or encoding.",
    422: "The body is JSON, but not of this form; the sentence names the field.",
    503: "Not now: the database is away or busy, or the body came too slowly.",
}
_HEADERS: Mapping[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"description": "The ways that there are.", "schema": {"type": "string"}}},
    503: {"Retry-After": {"description": "Seconds until it may be tried again.", "schema": {"type": "string"}}},
}
BLANK = re.compile(r"\{(\w+)\}")


def document(routes: Iterable[Route], version: str) -> dict[str, Any]:
    """The document of all routes that have an Operation. Raises KeyError for a tag or status without a meaning."""
    told = [(route, route.operation) for route in routes if route.operation is not None]
    schemas = _Schemas(operation for _, operation in told)
    paths: dict[str, dict[str, Any]] = {}
    for route, operation in told:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, operation, schemas)
    used = {operation.tag for _, operation in told}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "alertsage",
            "summary": "Alerts that say what to do.",
            "description": ABOUT,
            "version": version,
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": TAGS[name]} for name in sorted(used, key=list(TAGS).index)],
        "paths": paths,
        "components": {
            "schemas": schemas.shared,
            "securitySchemes": dict(SCHEMES),
            "responses": {str(status): _problem(status) for status in _MEANS},
        },
    }


class _Untitled(GenerateJsonSchema):
    """Without titles that only repeat a field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


class _Schemas:
    """The schemas of all types in the document."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        wanted: dict[tuple[str, Any], TypeAdapter[Any]] = {("Problem", "serialization"): TypeAdapter(Problem)}
        for operation in operations:
            for kind, mode in (("takes", "validation"), ("query", "validation"), ("answers", "serialization")):
                if (told := getattr(operation, kind)) is not None:
                    wanted[f"{operation.id} {kind}", mode] = TypeAdapter(told)
        made, rest = TypeAdapter.json_schemas(
            [(key, mode, adapter) for (key, mode), adapter in wanted.items()],
            schema_generator=_Untitled,
            ref_template="#/components/schemas/{model}",
        )
        self._made = {key: schema for (key, _), schema in made.items()}
        self.shared: dict[str, Any] = rest.get("$defs", {})
        # URL parameters stand with their operation, each by itself.
        queries = {schema["$ref"] for key, schema in self._made.items() if key.endswith(" query")}
        self._queries = {ref: self.shared.pop(ref.rpartition("/")[2]) for ref in queries}

    def of(self, operation: Operation, kind: str) -> dict[str, Any]:
        """The schema of what it takes or answers."""
        return self._made[f"{operation.id} {kind}"]

    def query(self, operation: Operation) -> dict[str, Any]:
        """The schema of all its URL parameters together."""
        return {} if operation.query is None else self._queries[self.of(operation, "query")["$ref"]]


def _operation(route: Route, operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": route.says,
        "security": _security(route.asks),
    }
    if operation.about:
        told["description"] = operation.about
    asked = _parameters(operation, schemas.query(operation))
    if parameters := [*_places(route, operation), *asked, *_headers(operation)]:
        told["parameters"] = parameters
    if operation.takes is not None:
        body: dict[str, Any] = {"schema": schemas.of(operation, "takes")}
        if operation.example:
            body["example"] = dict(operation.example)
        told["requestBody"] = {"required": True, "content": {"application/json": body}}
    told["responses"] = _responses(route, operation, schemas)
    return told


def _security(asks: Asks) -> list[dict[str, list[str]]]:
    if asks is Asks.NOTHING:
        return []
    return _SOURCES if asks is Asks.SOURCE else [{"token": [str(asks)]}]


def _places(route: Route, operation: Operation) -> Iterable[dict[str, Any]]:
    for name in BLANK.findall(route.path):
        schema, usual, means = PLACES.get(f"{operation.tag} {name}") or PLACES[name]
        example = operation.place.get(name, usual)
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "description": means,
            "schema": schema,
            "example": example,
        }


def _parameters(operation: Operation, query: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for name, schema in query.get("properties", {}).items():
        told = {"name": name, "in": "query", "required": name in query.get("required", ())}
        told["description"] = schema.get("description", "")
        told["schema"] = {key: value for key, value in schema.items() if key != "description"}
        if operation.takes is None and name in operation.example:
            told["example"] = operation.example[name]
        yield told


def _headers(operation: Operation) -> Iterable[dict[str, Any]]:
    for name, means in operation.headers.items():
        yield {
            "name": name,
            "in": "header",
            "required": False,
            "description": means,
            "schema": {"type": "string", "format": name.lower()},
        }


def _responses(route: Route, operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    good = {operation.status: HTTPStatus(operation.status).phrase, **operation.besides}
    content = {}
    if operation.answers is not None:
        content = {"content": {media: {"schema": schemas.of(operation, "answers")} for media in operation.media}}
    told: dict[str, Any] = {str(status): {"description": means} | content for status, means in good.items()}
    told |= {str(status): {"$ref": f"#/components/responses/{status}"} for status in problems(route, operation)}
    return told


def problems(route: Route, operation: Operation) -> list[int]:
    """The statuses of its problem documents, in order."""
    usual = {400, 503}
    if route.asks is not Asks.NOTHING:
        usual |= {401, 403}
    if operation.takes is not None:
        usual |= {413, 415} if route.asks is Asks.SOURCE else {413, 415, 422}
    return sorted({*usual, *operation.problems})


def _problem(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    told: dict[str, Any] = {"description": _MEANS[status], "content": {"application/problem+json": {"schema": schema}}}
    return told | ({"headers": _HEADERS[status]} if status in _HEADERS else {})
