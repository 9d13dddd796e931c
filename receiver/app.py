"""The only place that wires: settings to a store, a store to a flow, a flow to a server."""

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import click
from aiohttp import web

from receiver.background.drainer import Drainer
from receiver.background.supervise import keep_running
from receiver.background.sweeper import Sweeper
from receiver.background.watcher import Watcher
from receiver.background.worker import Worker
from receiver.data import data
from receiver.errors import Mistakes, StoreAway
from receiver.flow.accept import Into
from receiver.flow.configuration import Configuration
from receiver.flow.patterns import Patterns
from receiver.flow.tokens import Keeper
from receiver.logs import set_up as set_up_logs
from receiver.meters import Meters
from receiver.settings import Settings
from receiver.settings.sources import Auth
from receiver.store import Spool, Store, open_database, unusable
from receiver.web.attempts import Attempts
from receiver.web.book import SURVEY, Survey
from receiver.web.keys import ATTEMPTS, CONFIGURATION, INTO, METERS, PATTERNS, STORE, TOKENS, UNDERWAY
from receiver.web.protocol import Runner
from receiver.web.routes import add_routes
from receiver.web.underway import Underway

log = logging.getLogger("alertsage")

SHUTDOWN_SECONDS = 5.0
"""For requests under way; then connections are closed."""
CLOSING_SECONDS = 1.0
COLLECTING = (20_000, 20, 100)
"""Python's own thresholds would look for rubbish several times in each batch, and mostly find none: values here seldom
refer to each other in circles."""
KEEPALIVE_SECONDS = 75.0
SWITCH_SECONDS = 0.0005
"""How long a thread may keep the interpreter while another waits: readers and enrichers of the user's own run in
threads, and the event loop must not wait for them."""


def build_app(load: Callable[[], Settings]) -> web.Application:
    """The application, not yet started. `load` is called now and at each reload. Raises Mistakes."""
    app = web.Application()
    app[METERS] = meters = Meters()
    app[UNDERWAY] = Underway()
    app[SURVEY] = Survey()
    app[CONFIGURATION] = configuration = Configuration(load, meters)
    settings = configuration.setup.settings
    app[STORE] = Store(open_database(settings.database), queue=settings.limits.queue, meters=meters)
    app[TOKENS], app[ATTEMPTS] = Keeper(app[STORE]), Attempts(meters)
    app[PATTERNS] = Patterns(app[STORE])
    spool = settings.spool.folder or settings.default_spool
    app[INTO] = Into(app[STORE], Spool(spool, settings.spool.max_size, settings.spool.max_files), meters)
    add_routes(app)
    app.cleanup_ctx.append(_store)
    app.cleanup_ctx.append(_background)
    return app


def make_runner(app: web.Application) -> web.AppRunner:
    """The application with the server's own settings: bodies are inflated by us, under a bound."""
    return Runner(
        app,
        access_log=None,
        auto_decompress=False,
        keepalive_timeout=KEEPALIVE_SECONDS,
        shutdown_timeout=CLOSING_SECONDS,
    )


def serve(load: Callable[[], Settings]) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP reloads. Raises Mistakes when it cannot start."""
    settings = load()
    if settings.database.path and (problem := unusable(settings.database.path)):
        raise Mistakes([settings.mistake(("database", "url"), problem)])
    set_up_logs(settings.log.level, settings.log.format)
    sys.setswitchinterval(SWITCH_SECONDS)
    asyncio.run(_serve(build_app(load)))


async def _serve(app: web.Application) -> None:
    settings = app[CONFIGURATION].setup.settings
    runner = make_runner(app)
    await runner.setup()
    try:
        listen = settings.server.listen
        site = web.TCPSite(runner, listen.host, listen.port)
        try:
            await site.start()
        except OSError as error:
            sentence = f"{listen} cannot be listened on: {error.strerror}"
            raise Mistakes([settings.mistake(("server", "listen"), sentence)]) from None
        gc.collect()
        gc.freeze()  # what is loaded stays: full collections need not walk it while webhooks wait
        gc.set_threshold(*COLLECTING)
        _greet(settings, f"http://{f'[{listen.host}]' if ':' in listen.host else listen.host}:{site.port}")
        stopping = asyncio.Event()
        _on_signals(app, stopping)
        await stopping.wait()
        log.info("ending: what was accepted is being answered")
        await site.stop()
        await app[UNDERWAY].stop(SHUTDOWN_SECONDS)
    finally:
        await runner.cleanup()


def _on_signals(app: web.Application, stopping: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)

    def reload() -> None:
        with suppress(Mistakes):  # logged, and seen in the metrics
            app[CONFIGURATION].reload()

    loop.add_signal_handler(signal.SIGHUP, partial(loop.run_in_executor, None, reload))


SAMPLES = {"alertmanager": "alertmanager-firing", "grafana": "grafana-firing", "sentry": "sentry-event-alert"}
"""What is shipped to try a kind of sender with."""


def _greet(settings: Settings, url: str) -> None:
    """Say where it is and what to paste to see it work."""
    if not settings.server.listen.loopback and settings.server.allow_anonymous:
        log.warning("server.allow_anonymous is set: whoever reaches %s may read and post alerts", url)
    click.echo(f"alertsage listens on {url} and stores in {settings.database.place}\n")
    name, source = next(((n, s) for n, s in settings.sources.items() if s.kind in SAMPLES), ("", None))
    if source is None:
        return
    sample = data("examples") / f"{SAMPLES[source.kind]}.json"
    with suppress(ValueError):
        sample = sample.relative_to(Path.cwd())
    proof, query = _proof(source.auth)
    token = " -H 'Authorization: Bearer TOKEN'" if settings.server.token else ""
    address = f"{url}/webhook/{source.kind}{'' if name == source.kind else f'/{name}'}{query}"
    click.echo(
        f"Post a sample webhook, then look at what became of it:\n\n"
        f"  curl -sS{proof} -H 'Content-Type: application/json' --data-binary @{sample} {address}\n"
        f"  curl -sS{token} {url}/api/v1/alerts\n"
    )


def _proof(auth: Auth) -> tuple[str, str]:
    """What curl needs to prove itself: options, and what is put behind the address. Capitals stand for secrets."""
    if auth.bearer:
        return " -H 'Authorization: Bearer SECRET'", ""
    if auth.basic:
        return " -u USERNAME:PASSWORD", ""
    if auth.header:
        return f" -H '{auth.header.name}: SECRET'", ""
    if auth.url_token:
        return "", "?token=SECRET"
    if auth.signature:
        return " -H 'SIGNATURE-HEADER: SIGNATURE'", ""
    return "", ""


async def _store(app: web.Application) -> AsyncIterator[None]:
    await app[STORE].start()
    yield
    await app[STORE].close()


async def _background(app: web.Application) -> AsyncIterator[None]:
    store, configuration = app[STORE], app[CONFIGURATION]
    worker = Worker(store, lambda: configuration.setup, app[METERS])
    drainer = Drainer(app[INTO], lambda: configuration.setup)
    sweeper = Sweeper(store, lambda: configuration.setup)
    with suppress(StoreAway):  # told of by the drainer, which tries again
        app[INTO].spool.open()
    tasks = [
        asyncio.create_task(keep_running("worker", worker.run), name="worker"),
        asyncio.create_task(keep_running("sweeper", sweeper.run), name="sweeper"),
        asyncio.create_task(keep_running("drainer", drainer.run), name="drainer"),
        asyncio.create_task(keep_running("keeper of tokens", app[TOKENS].run), name="keeper of tokens"),
        asyncio.create_task(keep_running("watcher", Watcher(configuration).run), name="watcher"),
    ]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    app[INTO].spool.close()
