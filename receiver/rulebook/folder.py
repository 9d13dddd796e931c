"""A folder of rules: the files of it that are read, and what would be passed over in silence otherwise."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from receiver.data import data
from receiver.errors import Mistake, Mistakes
from receiver.rulebook import adjust, silences

RECOMMENDATIONS = "recommendations"
_FILES = (adjust.FILE, silences.FILE)
"""Those that lie in the folder itself."""
_READ = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Folder:
    """What lies in a folder of rules."""

    recommending: list[Path] = field(default_factory=list)
    """In the order in which they are read."""
    adjusting: list[Path] = field(default_factory=list)
    """None or one."""
    silencing: list[Path] = field(default_factory=list)
    """None or one."""
    passed_over: list[Path] = field(default_factory=list)
    """What looks like rules and is not read."""
    mistakes: list[Mistake] = field(default_factory=list)
    """A sentence for each of those, and for a folder that cannot be read."""


def rule_files(folder: Path) -> list[Path]:
    """What a change of the rules shows in: the files that are read, then those that ought to lie elsewhere."""
    found = look_into(folder)
    return [*found.recommending, *found.adjusting, *found.silencing, *found.passed_over]


def shipped() -> Folder:
    """The rules that come with alertsage. Raises Mistakes when they are missing: nobody means to go without."""
    folder = data("rules")
    found = look_into(folder)
    if not found.recommending and not found.mistakes:
        found.mistakes.append(Mistake(str(folder), 0, "", "holds none of alertsage's own rules; install it again"))
    if found.mistakes:
        raise Mistakes(found.mistakes)
    return found


def look_into(folder: Path, named: Callable[[str], Mistake] | None = None) -> Folder:
    """What lies in the folder; `named` makes a mistake of a sentence about it, knowing where it is named."""
    named = named or (lambda sentence: Mistake(str(folder), 0, "", sentence))
    found = Folder()
    try:
        names = _names(folder)
    except (FileNotFoundError, NotADirectoryError):
        found.mistakes.append(named(f"{folder} is not a folder"))
        return found
    except OSError as error:
        found.mistakes.append(named(f"{folder} cannot be read: {error.strerror}"))
        return found
    for file, files in zip(_FILES, (found.adjusting, found.silencing), strict=True):
        if file in names:
            files.append(folder / file)
    if RECOMMENDATIONS in names:
        _recommending(folder / RECOMMENDATIONS, found)
    elif not found.adjusting and not found.silencing:
        sentence = f"{folder} holds no folder {RECOMMENDATIONS} and no {' or '.join(_FILES)}, so no rule of it is read"
        found.mistakes.append(named(sentence))
    for path in (folder / name for name in names if name not in (*_FILES, RECOMMENDATIONS)):
        meant = path.stem.lower().removesuffix("s")
        near = next((name for name in _FILES if name.removesuffix(".yaml").removesuffix("s") == meant), None)
        _pass_over(path, f"is not read here; {f'name it {near}' if near else _put(path)}", found)
    return found


def _recommending(folder: Path, found: Folder) -> None:
    try:
        names = _names(folder)
    except OSError as error:
        found.mistakes.append(Mistake(str(folder), 0, "", f"cannot be read: {error.strerror}"))
        return
    for path in (folder / name for name in names):
        if path.suffix in _READ:
            found.recommending.append(path)
        else:
            _pass_over(path, f"is not read; name it {path.stem}.yaml", found)


def _put(path: Path) -> str:
    name = path.name if path.suffix in _READ else f"{path.stem}.yaml"
    return f"put it at {RECOMMENDATIONS}/{name} inside the folder"


def _pass_over(path: Path, sentence: str, found: Folder) -> None:
    """Note what looks like rules; notes for people (README.md) and what somebody put aside (x.yaml.off) do not."""
    if (inside := next(_rules_within(path), None)) is not None:
        sentence = f"is not read: rules lie in {RECOMMENDATIONS}/ itself, not in a folder within; move {inside.name}"
    elif not _looks_like_rules(path.name):
        return
    found.passed_over.append(path)
    found.mistakes.append(Mistake(str(path), 0, "", sentence))


def _rules_within(path: Path) -> Iterator[Path]:
    """Rule files at any depth of a folder. One that nobody may look into (`lost+found` of a disk) has none."""
    for at, folders, files in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(at, name) for name in sorted(files) if _looks_like_rules(name))


def _looks_like_rules(name: str) -> bool:
    suffix = Path(name).suffix.lower()
    return not name.startswith(".") and (suffix.startswith(".y") or suffix == ".json")


def _names(folder: Path) -> list[str]:
    """What lies in the folder, sorted, without hidden names: editors and Kubernetes keep theirs so. Raises OSError."""
    return sorted(name for name in os.listdir(folder) if not name.startswith("."))
