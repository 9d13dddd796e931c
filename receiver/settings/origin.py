"""Where each setting was written, so that a mistake found at any time can be told by its place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from receiver.errors import Mistake
from receiver.yamlfile import Document, Path_


@dataclass(frozen=True, slots=True)
class Origin:
    """The configuration file and the environment variables that the settings came from."""

    document: Document = field(default_factory=lambda: Document("config.yaml"))
    variables: Mapping[Path_, str] = field(default_factory=dict)
    """The variable that set a path, by path."""
    folder: Path = field(default_factory=Path.cwd)
    """Where relative paths start; absolute."""

    def mistake(self, path: Path_, sentence: str) -> Mistake:
        """A Mistake at the variable that set the path (or a part of it), else at its line in the file."""
        if variable := self.variable(path):
            return Mistake(variable, 0, ".".join(map(str, path)), sentence)
        return self.document.mistake(path, sentence)

    def variable(self, path: Path_) -> str | None:
        """The variable that set the path, a parent of it, or (when the file does not have it) something in it."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.variables:
                return self.variables[path[:end]]
        if path in self.document.lines:
            return None
        return next((name for at, name in self.variables.items() if path and at[: len(path)] == path), None)
