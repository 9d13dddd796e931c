"""Settings that name files: relative ones start from the folder of the configuration file."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ValidationInfo


def _absolute(path: str, info: ValidationInfo) -> Path:
    folder = info.context["folder"] if info.context else Path.cwd()
    return Path(folder, Path(path).expanduser()).absolute()


def _local(value: object, info: ValidationInfo) -> Path:
    if isinstance(value, Path):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be the path of a file or folder")
    return _absolute(value, info)


def _sqlite(url: str, info: ValidationInfo) -> str:
    scheme, separator, rest = url.partition("://")
    if scheme in {"postgresql", "postgres"} or scheme.startswith("postgresql+"):
        raise ValueError("this version stores on SQLite only; write sqlite:///PATH")
    name = rest.removeprefix("/")
    if scheme != "sqlite" or not separator or not rest.startswith("/") or "?" in name or name in {"", "/", ":memory:"}:
        raise ValueError("is not the address of a database; write sqlite:///PATH, e.g. sqlite:///alertsage.db")
    return f"sqlite:///{_absolute(name, info)}"


LocalPath = Annotated[Path, BeforeValidator(_local)]
"""A path, made absolute."""
SqliteUrl = Annotated[str, AfterValidator(_sqlite)]
"""`sqlite:///PATH`, its path made absolute."""
