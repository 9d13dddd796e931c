"""The worker: claims due jobs and works them off, as many at a time as configured."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from receiver.background.supervise import keep_running
from receiver.domain import times
from receiver.domain.times import span
from receiver.errors import StoreAway
from receiver.flow.enrich import work_off
from receiver.flow.runner import Runner
from receiver.flow.setup import Setup
from receiver.meters import Meters
from receiver.store import Store, jobs

log = logging.getLogger("alertsage.worker")

POLL_SECONDS = 5.0
"""How often to look without being told: for jobs whose lease ran out."""

RENEWALS = 3
"""How often a lease is renewed before it would end."""


class Worker:
    """Runs until cancelled. A job that fails stays a row and comes back when its lease runs out."""

    def __init__(self, store: Store, setup: Callable[[], Setup], meters: Meters) -> None:
        self._store = store
        self._setup = setup
        self._meters = meters
        self._busy: dict[asyncio.Task[None], jobs.Job] = {}

    async def run(self) -> None:
        """Claim and work off, for ever."""
        runner = Runner()
        renewing = asyncio.create_task(keep_running("renewing of leases", self._renew), name="renew leases")
        try:
            while True:
                await self._round(runner)
        finally:
            tasks = [renewing, *self._busy]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await runner.close()

    async def _round(self, runner: Runner) -> None:
        setup = self._setup()
        free = setup.settings.enrich.workers - len(self._busy)
        self._store.work.clear()
        claimed = await self._claim(setup, free) if free > 0 else []
        for job in claimed:
            task = asyncio.create_task(self._one(job, setup, runner), name=f"job {job.id}")
            self._busy[task] = job
            task.add_done_callback(self._ended)
        if len(claimed) < max(free, 1):
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._store.work.wait()
            except TimeoutError:
                pass

    def _ended(self, task: "asyncio.Task[None]") -> None:
        del self._busy[task]
        self._store.work.set()

    async def _renew(self) -> None:
        """Hold the jobs under way for longer, for ever: who stops doing so has died or was frozen."""
        while True:
            lease = span(self._setup().settings.enrich.lease)
            await asyncio.sleep(lease / times.SECOND / RENEWALS)
            held = list(self._busy.values())
            if held:
                try:
                    await self._store.write(partial(jobs.renew, held=held, lease=lease))
                except StoreAway as error:
                    log.debug("%d leases not renewed: %s", len(held), error)

    async def _claim(self, setup: Setup, most: int) -> list[jobs.Job]:
        lease = span(setup.settings.enrich.lease)
        try:
            return await self._store.write(lambda connection: jobs.claim(connection, lease, most))
        except StoreAway as error:
            log.debug("no jobs claimed: %s", error)
            return []

    async def _one(self, job: jobs.Job, setup: Setup, runner: Runner) -> None:
        try:
            await work_off(job, self._store, setup, runner, self._meters)
        except StoreAway as error:
            log.warning("job %d for alert %d waits for its lease to run out: %s", job.id, job.alert_id, error)
        except Exception:
            log.exception("job %d for alert %d failed and waits for its lease to run out", job.id, job.alert_id)
