"""Serves the app with uvicorn; on SIGTERM it takes no more requests and ends those it has."""

from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from student_hub.platform.http.health import Health

GRACE_S = 10
KEEP_ALIVE_S = 65


class HubServer(uvicorn.Server):
    """A uvicorn that says "not ready" from the moment it is asked to stop."""

    def __init__(self, config: uvicorn.Config, health: Health) -> None:
        super().__init__(config)
        self._health = health

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
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )
    return HubServer(config, health)


def serve(app: ASGIApp, health: Health, *, host: str, port: int) -> None:
    """Serves until SIGTERM or SIGINT."""
    make_server(app, health, host=host, port=port).run()
