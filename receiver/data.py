"""Where the data that comes with alertsage lies: rules, templates, examples, the commented config.yaml."""

from pathlib import Path

_HERE = Path(__file__).parent


def data(name: str) -> Path:
    """The shipped file or folder of that name: inside the package when installed, beside it in a working copy.

    Raises FileNotFoundError when it is in neither place.
    """
    packaged, beside = _HERE / "_data" / name, _HERE.parent / name
    for path in (packaged, beside):
        if path.exists():
            return path
    raise FileNotFoundError(f"{name} did not come with this installation (looked in {packaged} and {beside})")
