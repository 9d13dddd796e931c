"""A secret in a file of its own."""

from pathlib import Path

LONGEST = 65_536


def read_secret(name: object, folder: Path) -> str:
    """The secret in that file, without its line end. Raises ValueError with one sentence that names the file."""
    if not isinstance(name, str) or not name:
        raise ValueError("must be the path of a file")
    path = folder / Path(name).expanduser()
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(LONGEST + 1)
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    if len(text) > LONGEST:
        raise ValueError(f"{path} is longer than {LONGEST} characters: that is no secret")
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret.strip():
        raise ValueError(f"{path} is empty")
    return secret
