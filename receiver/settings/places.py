"""Settings that name files and databases: relative ones start from the folder of the configuration file."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit, urlunsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo


def _absolute(path: str, info: ValidationInfo) -> Path:
    folder = info.context["folder"] if info.context else Path.cwd()
    return Path(folder, Path(path).expanduser()).absolute()


def _local(value: object, info: ValidationInfo) -> Path:
    if isinstance(value, Path):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be the path of a file or folder")
    return _absolute(value, info)


def _database(url: str, info: ValidationInfo) -> str:
    scheme, separator, rest = url.partition("://")
    if scheme in {"postgresql", "postgres"} and separator:
        return _postgres(rest)
    if scheme.startswith("postgresql+"):
        raise ValueError("names a driver (+...); write postgresql://USER@HOST/DATABASE")
    name = rest.removeprefix("/")
    if scheme != "sqlite" or not separator or not rest.startswith("/") or "?" in name or name in {"", "/", ":memory:"}:
        raise ValueError(
            "is not the address of a database; write sqlite:///PATH, e.g. sqlite:///alertsage.db,"
            " or postgresql://USER@HOST/DATABASE"
        )
    return f"sqlite:///{_absolute(name, info)}"


def _postgres(rest: str) -> str:
    try:
        parts = urlsplit(f"postgresql://{rest}")
        parts.port  # noqa: B018 - raises for what is no port
    except ValueError as error:
        raise ValueError(f"is not the address of a database: {error}") from None
    if not parts.path.strip("/"):
        raise ValueError("names no database; write postgresql://USER@HOST/DATABASE")
    if find_spec("asyncpg") is None:
        raise ValueError("PostgreSQL needs the package asyncpg: pip install 'alertsage[postgres]'")
    return parts.geturl()


def without_password(url: str) -> str:
    """The address of a database as it may be shown."""
    parts = urlsplit(url)
    user, separator, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=user.partition(":")[0] + separator + host, query=""))


LocalPath = Annotated[Path, BeforeValidator(_local)]
"""A path, made absolute."""
DatabaseUrl = Annotated[str, AfterValidator(_database), Field(repr=False)]
"""`sqlite:///PATH`, its path made absolute, or `postgresql://...`, which may hold a password."""
