"""A worker's own /livez, /readyz, /health and /metrics, behind the same locks as the API's."""

import asyncio
import socket

from student_hub.access.rules import RULES, Doors
from student_hub.entry.assembly import assemble, nothing
from student_hub.entry.house import House
from student_hub.entry.run_api import health_of
from student_hub.entry.serve import make_server
from student_hub.entry.stack.errors import PortTaken
from student_hub.platform.limits.failures import Failures
from student_hub.platform.settings import Settings


class WorkerStates:
    """Serves the states in the worker's own loop."""

    def __init__(self, house: House, settings: Settings, listening: socket.socket) -> None:
        self._health = health_of(house)
        app = assemble(
            house.parts,
            settings,
            self._health,
            routers=(),
            tools=(),
            admit=Doors(RULES).admit,
            on_stop=nothing,
            failures=Failures(),
        )
        host, port = settings.host, settings.worker_metrics_port
        self._server = make_server(app, self._health, host=host, port=port)
        self._listening = listening
        self._serving: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins in the running loop."""
        self._serving = asyncio.create_task(self._server.serve([self._listening]))

    def draining(self) -> None:
        """From now on it says that the process is not ready."""
        self._health.draining = True

    async def stop(self) -> None:
        """Ends what is being answered."""
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving


def listening(settings: Settings) -> socket.socket:
    """The port on which a worker tells its states; PortTaken when it cannot be used."""
    port = settings.worker_metrics_port
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, port), family=family)
    except OSError as error:
        raise PortTaken(
            f"the port {port} of WORKER_METRICS_PORT cannot be used on {settings.host}."
        ) from error
