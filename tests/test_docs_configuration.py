"""Nothing can be set or run that is not documented: config.yaml, docs/configuration.md and the code agree."""

import re
from dataclasses import fields, is_dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from pydantic import BaseModel

from enrichers.shipped import SHIPPED
from receiver.__main__ import main
from receiver.data import data
from receiver.settings import Settings, load
from receiver.settings.environment import PREFIX
from receiver.settings.model import Plugin
from receiver.settings.schema import ANY_NAME, secrets, settings
from receiver.settings.sources import MappingSection, Signature, Source
from receiver.settings.units import format_duration, format_size

REPO = Path(__file__).parent.parent
ROW = re.compile(r"^\| `([a-zA-Z_.]+)` \| (.+?) \| `([A-Z_]+)` \| (.+) \|$", re.MULTILINE)
PATHS = [".".join(path) for path, _ in settings()]
OWN = {  # the settings of the shipped enrichers
    f"enrichers.{name}.{field.name}": field
    for name, made in SHIPPED.items()
    if isinstance(made, type) and is_dataclass(made)
    for field in fields(made)
    if field.init
}
SECRETS = {".".join(path) for path in secrets()}
OPTIONAL: dict[str, type[BaseModel]] = {  # sections that are not there unless they are written
    "sources.NAME.auth.signature": Signature,
    "sources.NAME.mapping": MappingSection,
}
SIZES = {
    "spool.max_size",
    "limits.in_flight",
    "limits.wire_size",
    "limits.inflated_size",
    "limits.label_size",
    "limits.annotation_size",
}


def documented() -> dict[str, tuple[str, str, str]]:
    text = (REPO / "docs/configuration.md").read_text()
    return {path: (default, variable, meaning) for path, default, variable, meaning in ROW.findall(text)}


def default(path: str) -> str:
    for section, kind in OPTIONAL.items():
        if path.startswith(section + "."):
            if path.endswith(ANY_NAME):
                return "none"
            field = kind.model_fields[path.removeprefix(section + ".")]
            return "none" if field.is_required() or field.default is None else f"`{shown(path, field.default)}`"
    value: Any = Settings()
    for part in path.split("."):
        if part == ANY_NAME:
            value = {"sources": Source(), "enrichers": Plugin()}[path.split(".", maxsplit=1)[0]]
        elif isinstance(value, BaseModel):
            value = getattr(value, part)
    return "none" if value is None else f"`{shown(path, value)}`"


def shown(path: str, value: Any) -> str:
    if path == "database.url":
        return f"sqlite:///{Path(value).name}"
    if isinstance(value, timedelta):
        return format_duration(value)
    if path in SIZES:
        return format_size(value)
    if isinstance(value, bool):
        return str(value).lower()
    return "[]" if value == () else str(value)


def test_config_yaml_holds_exactly_the_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shipped = load(data("config.yaml"), {})
    monkeypatch.chdir(tmp_path)
    defaults = load(None, {})
    assert shipped.model_dump(exclude={"database"}) == defaults.model_dump(exclude={"database"})
    assert shipped.database.path.name == defaults.database.path.name
    assert shipped.database.model_dump(exclude={"url"}) == defaults.database.model_dump(exclude={"url"})


@pytest.mark.parametrize("path", PATHS)
def test_config_yaml_names_every_setting(path: str) -> None:
    lines = data("config.yaml").read_text().split("\n")
    section, key = path.split(".", maxsplit=1)[0], path.removesuffix(f".{ANY_NAME}").rsplit(".", maxsplit=1)[-1]
    if section == "enrichers":  # what all enrichers share is told in the comment above them
        end = lines.index("enrichers:")
        found = [line for line in lines[:end] if re.match(rf"#   {key}: ", line)]
    else:
        start = lines.index(f"{section}:")
        end = next((n for n in range(start + 1, len(lines)) if re.match(r"[a-z]", lines[n])), len(lines))
        found = [line for line in lines[start:end] if re.match(rf"\s+(# )?\s*{key}: ", line)]
    assert found


@pytest.mark.parametrize("path", PATHS)
def test_the_configuration_page_tells_default_variable_and_meaning(path: str) -> None:
    assert path in documented()
    told, variable, meaning = documented()[path]
    assert told == default(path)
    assert variable == PREFIX + path.upper().replace(".", "__")
    assert meaning.startswith("*secret*") == (path in SECRETS)


def test_the_settings_of_shipped_enrichers_are_documented_too() -> None:
    text = data("config.yaml").read_text()
    for path in OWN:
        assert path in documented(), path
        assert documented()[path][1] == PREFIX + path.upper().replace(".", "__")
        assert re.search(rf"\b{path.split('.')[-1]}: ", text), f"{path} is not in config.yaml"


def test_the_configuration_page_tells_of_no_setting_that_is_gone() -> None:
    assert set(documented()) <= {*PATHS, *OWN}


def commands() -> list[tuple[str, click.Command]]:
    found = list(main.commands.items())
    for name, command in main.commands.items():
        if isinstance(command, click.Group):
            found += [(f"{name} {inner}", inside) for inner, inside in command.commands.items()]
    return sorted(found, key=lambda one: one[0])


@pytest.mark.parametrize(("name", "command"), commands())
def test_every_command_and_its_options_are_documented(name: str, command: click.Command) -> None:
    pages = [*REPO.glob("docs/*.md"), *REPO.glob("README.md")]
    text = "\n".join(page.read_text() for page in pages)
    assert f"alertsage {name}" in text
    lines = [line for line in text.split("\n") if f"alertsage {name}" in line]
    for option in command.params:
        for spelling in option.opts if isinstance(option, click.Option) else []:
            assert any(spelling in line for line in lines), f"{name} {spelling} is in no line of the documentation"


@pytest.mark.parametrize(("name", "command"), commands())
def test_every_command_says_what_it_does(name: str, command: click.Command) -> None:
    assert command.help
    assert all(option.help for option in command.params if isinstance(option, click.Option)), name
