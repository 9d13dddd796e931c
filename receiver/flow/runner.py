"""Runs one deferred enricher where it can do no harm: slow, hung, raising or blocking, intake does not notice.

Sync enrichers get a daemon thread each, async ones a loop of their own in one thread beside the server's. Neither can
be stopped from outside, so both are bounded: an enricher of whose runs too many hang is not started again, and a loop
that is blocked is given up for a new one.
"""

import asyncio
import inspect
import logging
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import aiohttp
from pydantic_core import to_json

from enrichers import AlertView, Context, Enrichment, Problem
from enrichers.chain import Outcome
from receiver.plugins import LoadedEnricher, additions
from receiver.sources.redact import redact

log = logging.getLogger("alertsage.enrichers")

HANGING = 4
"""So many hung runs of one enricher are borne; then it is skipped until one of them ends."""
BLOCKED_AFTER = 1.0
"""Seconds beyond its timeout in which a healthy loop cancels a run."""


class Runner:
    """Runs deferred enrichers one at a time for each caller. Used on the server's loop; `close` it."""

    def __init__(self) -> None:
        self._alive: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._side: _SideLoop | None = None

    async def run(
        self, enricher: LoadedEnricher, alert: AlertView, context: Context, seconds: float
    ) -> tuple[Enrichment | None, Outcome]:
        """Run it for at most `seconds`; whatever happens comes back as an outcome."""
        with self._lock:
            hanging = self._alive[enricher.name]
        if hanging >= HANGING:
            return None, _outcome(enricher, "skipped", 0, f"{hanging} earlier runs still hang")
        began = time.perf_counter()
        try:
            returned = await self._call(enricher, _own_copy(alert), context, seconds)
            added = additions(returned, enricher.redaction)
        except TimeoutError:
            spent = time.perf_counter() - began
            return None, _outcome(enricher, "timed out", spent, f"no answer within {seconds:g} s")
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises is an outcome on the alert
            why = _without_secrets(_said(error), enricher)
            context.log.warning("enricher %s failed: %s", enricher.name, why)
            return None, _outcome(enricher, "failed", time.perf_counter() - began, why)
        spent = time.perf_counter() - began
        return added, _outcome(enricher, "nothing" if added == Enrichment() else "ok", spent, None)

    async def close(self) -> None:
        """End the loop beside; runs that hang are left to die with the process."""
        if self._side is not None:
            await self._side.close()
            self._side = None

    async def _call(self, enricher: LoadedEnricher, alert: AlertView, context: Context, seconds: float) -> Any:
        if _is_async(enricher.call):
            return await self._on_side_loop(enricher, alert, context, seconds)
        async with asyncio.timeout(seconds):
            returned = await self._in_thread(enricher, alert, context)
            if inspect.isawaitable(returned):
                raise TypeError("it returned an awaitable; declare it with `async def`")
            return returned

    def _in_thread(self, enricher: LoadedEnricher, alert: AlertView, context: Context) -> "asyncio.Future[Any]":
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()

        def work() -> None:
            try:
                result, error = enricher.call(alert, context), None
            except BaseException as raised:  # noqa: BLE001 - handed over to the waiting side
                result, error = None, raised
            with self._lock:
                self._alive[enricher.name] -= 1
            _hand_over(loop, future, result, error)

        with self._lock:
            self._alive[enricher.name] += 1
        threading.Thread(target=work, name=f"enricher {enricher.name}", daemon=True).start()
        return future

    async def _on_side_loop(self, enricher: LoadedEnricher, alert: AlertView, context: Context, seconds: float) -> Any:
        if self._side is None:
            self._side = _SideLoop()
        side = self._side
        running = side.submit(enricher.call, alert, context, seconds)
        try:
            async with asyncio.timeout(seconds + BLOCKED_AFTER):
                return await asyncio.wrap_future(running)
        except TimeoutError:
            if not running.done() and self._side is side:
                log.warning("enricher %s blocks its event loop: the loop is given up for a new one", enricher.name)
                self._side = None
            raise


class _SideLoop:
    """An event loop in a thread of its own, with a client session for all enrichers on it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._http: aiohttp.ClientSession | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="async enrichers", daemon=True)
        self._thread.start()

    def submit(
        self, call: Callable[[Any, Any], Awaitable[Any]], alert: AlertView, context: Context, seconds: float
    ) -> Any:
        """Run the call there, for at most `seconds`; returns a concurrent future."""

        async def work() -> Any:
            if self._http is None:
                self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))
            try:
                async with asyncio.timeout(seconds):
                    return await call(alert, replace(context, http=self._http))
            except (SystemExit, KeyboardInterrupt) as error:  # they would end the loop for all that run on it
                raise RuntimeError(_said(error)) from error

        return asyncio.run_coroutine_threadsafe(work(), self._loop)

    async def close(self) -> None:
        """Close the session and stop, unless the loop is blocked."""

        async def end() -> None:
            if self._http is not None:
                await self._http.close()

        closing = asyncio.run_coroutine_threadsafe(end(), self._loop)
        try:
            async with asyncio.timeout(BLOCKED_AFTER):
                await asyncio.wrap_future(closing)
        except TimeoutError:
            log.warning("an enricher blocks its event loop: leaving it behind")
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join)
        self._loop.close()


def _own_copy(alert: AlertView) -> AlertView:
    """The alert for one enricher: whatever it does to it, nobody else sees."""
    return deepcopy(alert)


def _is_async(call: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(type(call).__call__)


def _hand_over(
    loop: asyncio.AbstractEventLoop, future: "asyncio.Future[Any]", result: Any, error: BaseException | None
) -> None:
    def tell() -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error if isinstance(error, Exception) else RuntimeError(_said(error)))

    try:
        loop.call_soon_threadsafe(tell)
    except RuntimeError:  # the server's loop has ended while the enricher hung: nobody waits any more
        log.debug("an enricher answered after the server had ended")


def _said(error: BaseException) -> str:
    """Class and words of what a plugin raised, which may have no words, or none that can be had."""
    try:
        if isinstance(error, Problem):
            return str(error) or type(error).__name__
        return f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001 - its own __str__ raises
        return type(error).__name__


def _without_secrets(why: str, enricher: LoadedEnricher) -> str:
    """The words as facts of this enricher are shown: a server's answer may be quoted in them."""
    if enricher.redaction is None:
        return why
    return str(redact(why, to_json(why), enricher.redaction)[0])


def _outcome(enricher: LoadedEnricher, outcome: Any, seconds: float, detail: str | None) -> Outcome:
    return Outcome(enricher.name, outcome, round(seconds * 1000, 3), detail[:500] if detail else None)
