"""docs/advice.md shows what alertsage really says; `python -m tests.test_docs_advice` writes it anew."""

import json
import re
from pathlib import Path
from typing import Any

from enrichers.units import figure
from receiver.yamlfile import parse
from tests.views import view

PAGE = Path(__file__).parent.parent / "docs" / "advice.md"
_BEFORE = re.compile(r"```yaml before\n(?P<told>.*?)```\n(?:\n```text after\n(?P<shown>.*?)```\n)?", re.DOTALL)
_ROW = re.compile(r"^\| `(?P<expr>[^`]+)`, \"(?P<told>[^\"]+)\" \| (?:\.\.\. )?(?P<said>[^|]+) \|$", re.MULTILINE)


def after(told: str) -> str:
    """What is said of one alert: title, message, what to do."""
    alert: dict[str, Any] = parse(told, "docs/advice.md").data
    found = view(alert["name"], alert["expr"], alert["annotations"], **alert["labels"])
    lines = [f"{found.priority} {found.category}  {found.title}".replace("\n", " ")]
    lines += [f"  {found.message}"] if found.message and found.message != found.title else []
    if found.value is not None:
        lines.append(f"  now {figure(found.value, found.unit)}, about {found.subject}")
    else:
        lines.append(f"  about {found.subject}")
    for number, one in enumerate(found.recommendations, 1):
        lines.append(f"  {number}. {'CAREFUL: ' if one.careful else ''}{one.text}")
        lines += [f"     $ {one.command}"] if one.command else []
        lines += [f"     {one.link}"] if one.link else []
    return "\n".join(lines) + "\n"


def written_anew(page: str) -> str:
    """The page with what is said now."""

    def put(found: re.Match[str]) -> str:
        return f"```yaml before\n{found['told']}```\n\n```text after\n{after(found['told'])}```\n"

    return _BEFORE.sub(put, page)


def test_the_ten_examples_are_what_is_said() -> None:
    page = PAGE.read_text()
    assert len(_BEFORE.findall(page)) == 10
    assert written_anew(page) == page


def test_each_of_the_ten_gets_a_command_about_its_own_thing() -> None:
    for found in _BEFORE.finditer(PAGE.read_text()):
        alert = parse(found["told"], "docs/advice.md").data
        said = view(alert["name"], alert["expr"], alert["annotations"], **alert["labels"]).recommendations
        own = [value.partition("://")[2].partition(":")[0] or value for value in alert["labels"].values()]
        assert any(one.command and any(name.partition(":")[0] in one.command for name in own) for one in said), alert


def test_levels_are_told_as_the_table_says() -> None:
    rows = list(_ROW.finditer(PAGE.read_text()))
    assert len(rows) >= 2
    for row in rows:
        assert view("X", row["expr"], {"description": row["told"]}).message.endswith(row["said"].strip()), row[0]


if __name__ == "__main__":
    PAGE.write_text(written_anew(PAGE.read_text()))
    print(json.dumps({"written": str(PAGE)}))
