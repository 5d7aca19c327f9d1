"""Serves the app with uvicorn; on SIGTERM it takes no more requests and ends those it has."""

import asyncio
import gc
import socket
from functools import partial
from types import FrameType
from typing import cast

import uvicorn
from starlette.types import ASGIApp

from student_hub.platform.http.connection import Connection
from student_hub.platform.http.edge import Edge
from student_hub.platform.http.health import Health

GRACE_S = 10
GARBAGE = (10_000, 20, 50)
KEEP_ALIVE_S = 65


class HubServer(uvicorn.Server):
    """A uvicorn that says "not ready" from the moment it is asked to stop."""

    def __init__(self, config: uvicorn.Config, health: Health) -> None:
        super().__init__(config)
        self._health = health
        self.settles = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.settles:
            # What is there by now stays: to look through all of it again and again for garbage
            # would take a tenth of the time of a busy process.
            gc.collect()
            gc.freeze()
            gc.set_threshold(*GARBAGE)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._health.draining = True
        super().handle_exit(sig, frame)


def make_server(app: ASGIApp, health: Health, *, host: str, port: int) -> HubServer:
    """The server, not started; requests under way at its end get ten seconds to finish."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http=_connection(app),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )
    return HubServer(config, health)


def _connection(app: ASGIApp) -> type[asyncio.Protocol]:
    """What a connection is made with: a hub's asks its edge whether a request may come in."""
    if not isinstance(app, Edge):
        return Connection
    return cast("type[asyncio.Protocol]", partial(Connection, gate=app))


def serve(app: ASGIApp, health: Health, *, host: str, port: int) -> None:
    """Serves until SIGTERM or SIGINT, with the whole process for it."""
    server = make_server(app, health, host=host, port=port)
    server.settles = True
    server.run()
