"""Where the data that comes with alertsage lies: rules, templates, examples, the commented config.yaml."""

from pathlib import Path

from receiver.errors import Mistake, Mistakes

_HERE = Path(__file__).parent


def data(name: str) -> Path:
    """The shipped file or folder of that name: inside the package when installed, beside it in a working copy.

    Raises Mistakes when it is in neither place.
    """
    packaged, beside = _HERE / "_data" / name, _HERE.parent / name
    for path in (packaged, beside):
        if path.exists():
            return path
    sentence = f"did not come with this installation (looked for {packaged} and {beside}); install alertsage again"
    raise Mistakes([Mistake(name, 0, "", sentence)])
