"""API tokens in the database that a configuration names."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from receiver.commands.outcome import Code, Failed
from receiver.domain.tokens import Unfit
from receiver.settings import load
from receiver.tokens import create, lasting, listed, revoke


class Local:
    """See `receiver.commands.keyring.Keyring`."""

    def __init__(self, config: Path | None) -> None:
        self._settings = load(config)

    @property
    def now(self) -> float:
        """This machine's clock."""
        return time.time()

    def every(self) -> list[dict[str, Any]]:
        """All tokens."""
        return listed(self._settings)

    def make(self, name: str, scopes: Sequence[str], expires: str | None) -> dict[str, Any]:
        """A new one."""
        try:
            made = create(self._settings, name, scopes, lasting(expires))
        except Unfit as unfit:
            raise Failed(Code.NOTHING, f"NAME: {unfit}") from None
        return {"name": name, "scopes": list(scopes), "token": made.secret, "first": made.first}

    def revoke(self, name: str) -> str:
        """Revoke that one; servers know of it a little later."""
        try:
            return revoke(self._settings, name)
        except LookupError as unknown:
            raise Failed(Code.NOTHING, f"{self._settings.database.place}: {unknown}") from None
