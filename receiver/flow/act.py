"""Acts of people on alerts: what is asked for is decided and stored, a refusal says who did what meanwhile."""

from collections.abc import Callable, Iterable
from typing import Any

from receiver.domain import times
from receiver.domain.acting import Act, Excess
from receiver.domain.acts import Illegal
from receiver.errors import Refused
from receiver.flow.setup import Setup
from receiver.flow.show import completed, remembered
from receiver.store import AlertQuery, Connection, Store, acting

MOST_AT_ONCE = 10_000
"""Alerts that one bulk act may concern: so many are written while webhooks wait for less than a second or two."""
FOUND_AGAIN = 5
"""How often alerts are looked for that changed before they could be acted on."""


async def act_on(store: Store, setup: Setup, alert_id: int, act: Act, version: int | None) -> None:
    """Do it to one alert; nothing when the same person has done it before.

    Raises Refused: 404 for an alert that is not there, 409 when it does not fit or the alert is not at that version,
    422 for too much metadata.
    Raises StoreAway.
    """
    owes = bool(setup.deferred)
    try:
        made = await store.write(lambda connection: acting.act_on(connection, alert_id, act, version, owes=owes))
    except acting.Absent:
        raise Refused(f"there is no alert {alert_id}", status=404) from None
    except Illegal as error:
        raise Refused(str(error), status=422 if isinstance(error, Excess) else 409) from None
    if made is not None and owes:
        store.work.set()


async def act_on_these(store: Store, setup: Setup, ids: Iterable[int], act: Act, *, rehearse: bool) -> acting.Done:
    """Do it to all of these alerts, or to none; with `rehearse` only say what would be done.

    Raises Refused: 404 when any is not there, 409 for the first that it does not fit. Raises StoreAway.
    """
    return await _all(store, setup, act, dict.fromkeys(ids), rehearse=rehearse)


async def act_on_found(store: Store, setup: Setup, query: AlertQuery, act: Act, *, rehearse: bool) -> acting.Done:
    """The same for all alerts that a query finds, as they are when it finds them.

    Raises Refused: 422 for too many, 409 for the first that it does not fit, and when they change all the time.
    """
    for _ in range(FOUND_AGAIN):
        versions = await store.read(lambda connection: acting.found(connection, query, MOST_AT_ONCE))
        if len(versions) > MOST_AT_ONCE:
            raise Refused(
                f"more than {MOST_AT_ONCE:,} alerts are found, which is the most for one act: narrow the query",
                status=422,
            )
        try:
            return await _all(store, setup, act, versions, rehearse=rehearse)
        except acting.Moved:
            continue
    raise Refused("the alerts that are found change faster than they can be acted on: narrow the query", status=409)


async def _all(
    store: Store, setup: Setup, act: Act, versions: dict[int, int] | dict[int, None], *, rehearse: bool
) -> acting.Done:
    owes = bool(setup.deferred)

    def operation(connection: Connection) -> acting.Done:
        if rehearse:
            return acting.rehearse(connection, versions, act)
        return acting.act_on_all(connection, versions, act, owes=owes)

    run: Callable[[Any], Any] = store.read if rehearse else store.write
    try:
        done: acting.Done = await run(operation)
    except acting.Absent as absent:
        first, *more = absent.args[0]
        others = f", nor are {len(more)} others of these" if more else ""
        raise Refused(f"there is no alert {first}{others}; nothing was changed", status=404) from None
    except Illegal as error:
        raise Refused(str(error), status=409) from None
    if done.changed and owes and not rehearse:
        store.work.set()
    return done


async def whole(store: Store, setup: Setup, alert_id: int) -> dict[str, Any] | None:
    """One alert as it is shown, with its Changes and its history; None when there is none. Raises StoreAway."""
    found = await store.alert(alert_id)
    past = await store.past(alert_id) if found is not None else None
    return remembered(completed(found, setup), past, times.now()) if found is not None and past is not None else None
