"""Alerts that programs tell of by themselves: one handler, and a route for each form."""

import time
from functools import partial

from aiohttp import web

from receiver.domain.forms import FORMS, OWN, PLAIN
from receiver.errors import Refused
from receiver.flow.create import create as take_in
from receiver.web.answers import answer
from receiver.web.forms import AlertForm
from receiver.web.forms_create import EXAMPLES, POSTED
from receiver.web.keys import CONFIGURATION, INTO, METERS, SOURCE
from receiver.web.table import Answer, Asks, Operation, Route, taken

LONGEST_KEY = 1000
"""Characters of an Idempotency-Key."""
_LATER = {"id": None, "detail": "it is safe on the disk, and becomes an alert when the database can be used again"}


async def create(request: web.Request, form: str) -> web.Response:
    """Take in one alert: 201 for a new one, 200 for one that was counted, 202 when it cannot be shown yet."""
    began = time.perf_counter()
    request[SOURCE] = OWN
    app = request.app
    told = await taken(request, POSTED[form])
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > LONGEST_KEY:
        raise Refused(f"the Idempotency-Key is longer than {LONGEST_KEY} characters; a UUID has 36")
    given = told.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    created = await take_in(form, given, key, app[CONFIGURATION].setup, app[INTO])
    app[METERS].answered(OWN, time.perf_counter() - began)
    if created.alert is None:
        return answer(_LATER, 202)
    if not created.new:
        return answer(created.alert)
    return answer(created.alert, 201, {"Location": f"/api/v1/alerts/{created.alert['id']}"})


class Later(Answer):
    """What is answered while the alert cannot be shown."""

    id: None
    detail: str


_ABOUT = (
    "The same type and resource within an hour of the last time is the same alert: it is counted (200), and new (201) "
    "only when there is none. With the header Idempotency-Key the same post again is not counted, and answered with "
    "the same alert; the same key with another body is refused (422). Keys are remembered for a day."
)


def _route(form: str) -> Route:
    path = "/api/v1/alerts" if form == PLAIN else f"/api/v1/alerts/{form}"
    says = f"tell of {FORMS[form].says}" if form == PLAIN else f"tell that {FORMS[form].says}"
    operation = Operation(
        f"create_{form.replace('-', '_')}" if form == PLAIN else f"create_{form.replace('-', '_')}_alert",
        "alerts",
        AlertForm | Later,
        takes=POSTED[form],
        status=201,
        besides={200: "One that was there already: counted", 202: "Safe, and an alert as soon as the database answers"},
        headers={"Idempotency-Key": "Of your own making, like a UUID: the same post with the same key counts once."},
        about=_ABOUT,
        example=EXAMPLES[form],
    )
    return Route("POST", path, partial(create, form=form), Asks.INTAKE, says, operation)


ROUTES = tuple(_route(form) for form in FORMS)
