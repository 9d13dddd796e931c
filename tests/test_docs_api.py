"""docs/api.md cannot lie: its table of routes is the one that serves."""

import re
from collections.abc import Mapping
from pathlib import Path

from receiver.web.routes import ROUTES
from receiver.web.table import Asks

PAGE = (Path(__file__).parent.parent / "docs/api.md").read_text()
ASKS: Mapping[Asks, str] = {
    Asks.NOTHING: "nothing",
    Asks.SOURCE: "the source's secret",
    **{asks: f"token: {asks}" for asks in (Asks.INTAKE, Asks.READ, Asks.ACT, Asks.ADMIN)},
}


def test_the_table_of_routes_is_the_one_that_serves() -> None:
    rows = [f"| `{route.method} {route.path}` | {ASKS[route.asks]} | {route.says} |" for route in ROUTES]
    wanted = "\n".join(["| route | asks for | answers |", "|---|---|---|", *rows])
    found = re.search(r"^\| route \| asks for \| answers \|\n(?:\|.*\n)+", PAGE, re.MULTILINE)
    assert found is not None
    assert found[0].strip() == wanted, f"write this into docs/api.md:\n\n{wanted}"
