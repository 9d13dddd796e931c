"""The group of all commands, and how each of them ends."""

import errno
import sys

import click

from receiver.commands import acts, alerts, db, explain, local, patterns, rules, silences, tokens
from receiver.errors import Mistakes

INTERRUPTED = 130
PIPE_CLOSED = 141
"""As a shell tells of a program that was ended by SIGPIPE."""


class _Commands(click.Group):
    """Tells mistakes of people in plain sentences, one a line, with exit code 2; ends quietly when told to."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except Mistakes as found:
            for mistake in found.mistakes:
                click.echo(str(mistake), err=True)
            ctx.exit(2)
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except OSError as error:
            if error.errno != errno.EPIPE:
                raise
            _hush()
            ctx.exit(PIPE_CLOSED)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def main(ctx: click.Context) -> None:
    """Alerts that say what to do.

    alertsage takes webhooks from Prometheus Alertmanager, Grafana, Sentry and others, explains every alert, stores it
    for good and counts it.
    Start with `alertsage serve`; it needs no configuration. Every setting can also be given by the environment:
    ALERTSAGE__SERVER__LISTEN sets server.listen.

    Commands with --server talk to a running server. They find it by --server, else ALERTSAGE_URL, else the `url` of
    ~/.config/alertsage/client.yaml, else where config.yaml here listens; its token by --token-file, else
    ALERTSAGE_TOKEN, else ALERTSAGE_TOKEN_FILE, else `token` or `token_file` beside that `url` (`chmod 600` the file),
    else server.token of that config.yaml. They exit with 0 when it is done, 1 when nothing was found or the alert
    is not in the state for it, 2 for a wrong command or query, 3 when the server cannot be reached, 4 when the token
    is missing, wrong or may not do this.
    """
    from receiver.commands.surroundings import plain

    ctx.color = False if plain() else None
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _hush() -> None:
    """Nobody reads what is still to be written."""
    import os

    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), 1)


for _command in (
    *(local.serve, local.check, local.replay, local.version, explain.explain, rules.rules, db.db),
    *(alerts.alerts, alerts.show, alerts.tail, alerts.sources, alerts.stats),
    *(acts.ack, acts.resolve, acts.suppress, acts.unsuppress, acts.reopen, acts.note, acts.assign),
    *(silences.silence, patterns.patterns, tokens.tokens),
):
    main.add_command(_command)
