"""Failed attempts to prove oneself: counted, and told of in few lines."""

import asyncio
import logging
from collections import Counter

from receiver.meters import Meters

log = logging.getLogger("alertsage.tokens")

QUIET_SECONDS = 10.0
"""At most one line in that time: whoever tries tokens must not fill the log."""


class Attempts:
    """Failed attempts to prove oneself, of one process."""

    def __init__(self, meters: Meters) -> None:
        self._counter = meters.refused_credentials
        self._since: Counter[str] = Counter()
        self._quiet = False

    def failed(self, reason: str, what: str, where: str | None) -> None:
        """Count one; a line tells of it, or of all of them a little later."""
        self._counter.labels(reason).inc()
        if self._quiet:
            self._since[reason] += 1
            return
        log.warning("refused %s to %s: credentials %s", what, where or "somebody", reason)
        self._quiet = True
        asyncio.get_running_loop().call_later(QUIET_SECONDS, self._tell)

    def _tell(self) -> None:
        self._quiet = False
        if self._since:
            told = ", ".join(f"{many} {reason}" for reason, many in sorted(self._since.items()))
            log.warning("refused more requests in the last %g s for their credentials: %s", QUIET_SECONDS, told)
            self._since.clear()
