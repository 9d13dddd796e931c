"""The readable page: the document as HTML, with commands to paste."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape

from receiver.data import data

_CODE = re.compile(r"`([^`]+)`")
_WAYS: Mapping[str, str] = {
    "token": "Authorization: Bearer TOKEN",
    "sourceBearer": "Authorization: Bearer SECRET",
}
"""Headers that an example sends; capitals stand for secrets."""


def render(document: Mapping[str, Any], address: str, style: str) -> str:
    """The page, its examples asking that address."""
    environment = Environment(
        loader=FileSystemLoader(data("templates")),
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
    )
    environment.filters |= {"prose": _prose, "shape": lambda ref: ref.rpartition("/")[2]}
    return environment.get_template("api.html").render(
        document=document,
        address=address,
        style=Markup(style),  # noqa: S704 - our own file
        operations=list(_operations(document, address)),
    )


def command(address: str, method: str, path: str, operation: Mapping[str, Any]) -> str:
    """What to paste into a shell to try the operation: its example, asked of that address."""
    url, query = path, []
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            url = url.replace(f"{{{parameter['name']}}}", quote(str(parameter["example"]), safe=""))
        elif "example" in parameter:
            query.append((parameter["name"], parameter["example"]))
    if query:
        url += "?" + urlencode(query, doseq=True)
    words = ["curl", "-sS", *(["-X", method] if method not in ("GET", "POST") else [])]
    ways = [name for way in operation["security"] for name in way if name in _WAYS]
    for header in [_WAYS[name] for name in ways[:1]]:
        words += ["-H", header]
    body = next(iter(operation.get("requestBody", {}).get("content", {}).values()), None)
    if body is not None:
        words += ["-H", "Content-Type: application/json", "-d", json.dumps(body.get("example", {}), ensure_ascii=False)]
    elif method == "POST":
        words += ["-X", method]
    return shlex.join([*words, address + url])


def _operations(document: Mapping[str, Any], address: str) -> Iterator[dict[str, Any]]:
    shared = document["components"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            answers = [
                (status, _resolved(told, shared["responses"])) for status, told in operation["responses"].items()
            ]
            body = next(iter(operation.get("requestBody", {}).get("content", {}).values()), None)
            yield {
                **operation,
                "method": method.upper(),
                "path": path,
                "parameters": operation.get("parameters", []),
                "scopes": sorted(
                    {scope for way in operation["security"] for scopes in way.values() for scope in scopes}
                ),
                "body": body,
                "form": body and _form(body["schema"], shared["schemas"]),
                "answers": answers,
                "command": command(address, method.upper(), path, operation),
            }


def _form(schema: Mapping[str, Any], shared: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The schema of a body when it has fields of its own to show."""
    told = _resolved(schema, shared)
    return told if told.get("properties") else None


def _resolved(told: Mapping[str, Any], shared: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = shared[told["$ref"].rpartition("/")[2]] if "$ref" in told else told
    return found


def _prose(text: str) -> Markup:
    """A text with `code` in it."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped before
