"""The bare handler: reads and parses the body, answers. What alertsage's intake is compared with.

`python -m bench.bare` prints its address.
"""

import asyncio
import sys

from aiohttp import web
from pydantic_core import from_json


async def webhook(request: web.Request) -> web.Response:
    """Parse, count, answer."""
    alerts = from_json(await request.read())["alerts"]
    return web.Response(body=b'{"received": %d}' % len(alerts), content_type="application/json")


async def main() -> None:
    """Serve until killed."""
    app = web.Application(client_max_size=64 * 2**20)
    app.router.add_post("/webhook/alertmanager", webhook)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(f"http://127.0.0.1:{site.port}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
