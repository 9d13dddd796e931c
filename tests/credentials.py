"""What docs/tokens.md says of each route and credential, and what it ought to say."""

from pathlib import Path

from receiver.web.routes import ROUTES
from receiver.web.table import Asks, Route

PAGE = Path(__file__).parent.parent / "docs" / "tokens.md"
COLUMNS = ("none", "intake", "read", "act", "admin", "server.token", "source")
CELLS = {
    Asks.NOTHING: ("yes",) * 7,
    Asks.SOURCE: ("401", "yes", "403", "403", "yes", "401", "yes"),
    Asks.INTAKE: ("401", "yes", "403", "403", "yes", "yes", "401"),
    Asks.READ: ("401", "403", "yes", "yes", "yes", "yes", "401"),
    Asks.ACT: ("401", "403", "403", "yes", "yes", "yes", "401"),
    Asks.ADMIN: ("401", "403", "403", "403", "yes", "yes", "401"),
}


def named(route: Route) -> str:
    """The route as pages name it."""
    return f"{route.method} {route.path}"


def line(route: Route) -> str:
    """Its line of the page."""
    return f"| `{named(route)}` | {' | '.join(CELLS[route.asks])} |"


def documented() -> dict[str, dict[str, str]]:
    """The page's table: route, credential, entry."""
    lines = PAGE.read_text().splitlines()
    begin = next(number for number, text in enumerate(lines) if text.startswith("| route |")) + 2
    table = {}
    for text in lines[begin:]:
        if not text.startswith("|"):
            break
        route, *cells = (cell.strip() for cell in text.strip("|").split("|"))
        table[route.strip("`")] = dict(zip(COLUMNS, cells, strict=True))
    return table


if __name__ == "__main__":
    print("\n".join(map(line, ROUTES)))
