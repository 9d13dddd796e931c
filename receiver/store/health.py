"""Whether a database is as it should be: `alertsage db check`."""

from collections.abc import Iterator

from sqlalchemy import Connection, Select, func, literal_column, select, text

from receiver.domain.search import Search
from receiver.domain.searchterms import Label
from receiver.store import migrate
from receiver.store.queries import AlertQuery, Position
from receiver.store.reads import page
from receiver.store.rows import on_postgres
from receiver.store.tables import alert, alert_count, change, content, job, quarantine

LOOKED_UP = 200
"""So many of the newest alerts are looked up by their labels."""


def figures(connection: Connection) -> dict[str, int]:
    """How many rows there are of what."""
    return {
        name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for name, table in (("alerts", alert), ("changes", change), ("jobs", job), ("quarantined", quarantine))
    }


def problems(connection: Connection) -> Iterator[str]:
    """What is wrong, a sentence each."""
    found, newest = migrate.current(connection), migrate.newest()
    if found != newest:
        yield f"the schema is {found or 'not there'}, this version's is {newest}: run `alertsage db upgrade`"
        return
    if not on_postgres(connection):
        for (told,) in connection.execute(text("PRAGMA quick_check")):
            if told != "ok":
                yield f"SQLite finds the file damaged: {told}"
    for sentence, wanted in _BROKEN.items():
        many = connection.execute(select(func.count()).select_from(wanted.subquery())).scalar_one()
        if many:
            yield f"{many} {sentence}"
    yield from _miscounted(connection)
    yield from _not_found(connection)


_BROKEN: dict[str, Select[tuple[int]]] = {
    "alerts have no content": select(alert.c.id).where(alert.c.id.not_in(select(content.c.alert_id))),
    "contents belong to no alert": select(content.c.alert_id).where(content.c.alert_id.not_in(select(alert.c.id))),
    "changes belong to no alert": select(change.c.alert_id).where(change.c.alert_id.not_in(select(alert.c.id))),
    "alerts have another number of changes than they say": select(alert.c.id)
    .join(change, change.c.alert_id == alert.c.id)
    .group_by(alert.c.id, alert.c.change_count)
    .having(func.count() != alert.c.change_count),
}


def _miscounted(connection: Connection) -> Iterator[str]:
    keys = list(alert_count.primary_key.c)
    real = select(*(alert.c[key.name] for key in keys), func.count()).where(~alert.c.heartbeat)
    rows = {tuple(row[:-1]): row[-1] for row in connection.execute(real.group_by(*(alert.c[k.name] for k in keys)))}
    kept = connection.execute(select(*keys, alert_count.c.n).where(alert_count.c.n != literal_column("0")))
    counts = {tuple(row[:-1]): row[-1] for row in kept}
    for key in sorted(rows.keys() | counts.keys()):
        if rows.get(key, 0) != counts.get(key, 0):
            yield f"{rows.get(key, 0)} alerts are {'/'.join(key)}, but {counts.get(key, 0)} are counted"


def _not_found(connection: Connection) -> Iterator[str]:
    missing = 0
    for shown in page(connection, AlertQuery(limit=LOOKED_UP)).alerts:
        labels = tuple(Label(*pair) for pair in shown["labels"].items())[:20]
        query = AlertQuery(Search(labels), limit=1, after=Position(0, shown["id"] + 1))
        found = page(connection, query).alerts if labels else [shown]
        missing += not found or found[0]["id"] != shown["id"]
    if missing:
        yield f"{missing} of the newest {LOOKED_UP} alerts are not found by their labels"
