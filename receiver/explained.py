"""An explained alert as a text for people."""

import json
import shutil
from collections.abc import Callable
from typing import Any

from jinja2 import Environment, FileSystemLoader

from enrichers.units import figure
from receiver.data import data
from receiver.domain import times
from receiver.domain.history import spoken
from receiver.terminal import json_line, one_line, visible


def printer(as_json: bool) -> Callable[[dict[str, Any]], str]:
    """What makes an explained alert, in the form of `--json` or of the API, a text for a terminal or a line of JSON."""
    if as_json:
        return json_line
    layout = _template()
    return lambda explained: str(layout.render(**_shown(explained)))


def _template() -> Any:
    # The output is a terminal's, so nothing is escaped as HTML; control characters are taken out of all values.
    environment = Environment(
        loader=FileSystemLoader(data("templates")),
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701
    )
    environment.filters |= {"figure": figure, "one_line": one_line, "told": _told, "lasting": _lasting}
    return environment.get_template("explain.txt")


def _told(fact: Any) -> str:
    """A fact as people read it: a text on one line, several texts on one each, anything else as JSON."""
    if isinstance(fact, list) and any(isinstance(one, str) and " " in one for one in fact):
        return "".join(f"\n{one_line(one) if isinstance(one, str) else json.dumps(one)}" for one in fact)
    return one_line(fact) if isinstance(fact, str) else json.dumps(fact, ensure_ascii=False)


def _lasting(seconds: float) -> str:
    return spoken(round(seconds * times.SECOND))


def _shown(explained: dict[str, Any]) -> dict[str, Any]:
    width = max(60, min(shutil.get_terminal_size((100, 24)).columns, 120))
    return {"alert": visible(explained), "width": width}
