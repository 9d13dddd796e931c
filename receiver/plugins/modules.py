"""Importing the code of plugins, with what goes wrong told by their own file and line."""

import hashlib
import importlib
import sys
import traceback
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import CodeType, ModuleType


class Unloadable(Exception):  # noqa: N818 - a state of somebody's file, told in one sentence
    """A module cannot be imported; the message is one plain sentence that names the file and line."""


class _Fresh(SourceFileLoader):
    """Compiles the source on every load: Python's cache knows a change only by whole seconds and the size."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


def load_file(where: str, folder: Path) -> ModuleType:
    """Import the file `where` (relative to `folder`) as it is now, under a private name. Raises Unloadable.

    A load that fails leaves what an earlier one made as it was.
    """
    path = folder / Path(where).expanduser()
    if not path.is_file():
        raise Unloadable(f"there is no file {path}")
    name = f"alertsage_plugin_{hashlib.sha256(str(path).encode()).hexdigest()[:16]}"
    spec = spec_from_loader(name, _Fresh(name, str(path)))
    assert spec is not None  # noqa: S101 - it is None only for loaders without source
    assert spec.loader is not None  # noqa: S101 - it is the one given above
    module, before = module_from_spec(spec), sys.modules.get(name)
    # dataclasses and type hints look their own module up by name while they are made
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the code of a plugin may raise anything
        sys.modules.pop(name)
        if before is not None:
            sys.modules[name] = before
        raise Unloadable(_told(error, str(path), where)) from None
    return module


def load_module(where: str) -> ModuleType:
    """Import an installed module by its dotted name. Raises Unloadable."""
    try:
        return importlib.import_module(where)
    except ModuleNotFoundError as error:
        if error.name and (where == error.name or where.startswith(f"{error.name}.")):
            raise Unloadable(f'there is no module "{error.name}"; is its package installed here?') from None
        raise Unloadable(_told(error, None, where)) from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the code of a plugin may raise anything
        raise Unloadable(_told(error, None, where)) from None


def _told(error: BaseException, path: str | None, where: str) -> str:
    """`my.py:3: ValueError: text`, at the deepest line of the plugin's own file (of any file if `path` is None)."""
    what = type(error).__name__
    if isinstance(error, SyntaxError):
        shown = where if path == error.filename else error.filename
        return f"{shown}:{error.lineno or 1}: {what}: {error.msg}"
    lines = [line for line in str(error).splitlines() if line.strip()]
    said = f"{what}: {lines[0]}" if lines else what
    frames = [f for f in traceback.extract_tb(error.__traceback__) if path == f.filename or not path]
    frames = [f for f in frames if not f.filename.startswith("<frozen") and "importlib" not in f.filename]
    own = frames[-1] if frames and frames[-1].filename != __file__ else None
    if own is None:
        return f"{where}: {said}"
    return f"{where if path else own.filename}:{own.lineno}: {said}"
