"""What is answered to bytes that are no HTTP: a sentence, and nothing of what was sent."""

from aiohttp import web

from receiver.web.problems import problem


class Protocol(web.RequestHandler):
    """One connection. aiohttp itself would repeat the header that it stumbled over, credentials as well."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer; the log tells of it."""
        super().handle_error(request, status, exc, message)
        sentence = "this is no HTTP request that can be read" if status < 500 else "alertsage failed; its log says why"
        answer = problem(status, sentence)
        answer.force_close()
        return answer


class _Server(web.Server):
    def __call__(self) -> Protocol:
        return Protocol(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """aiohttp's, with our own Protocol: it has no other place to say which."""

    __slots__ = ()

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        made.__class__ = _Server
        return made
