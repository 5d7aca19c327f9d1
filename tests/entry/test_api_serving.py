"""The server process: ready, draining, gone."""

import asyncio
import signal
import socket

import httpx2
import pytest
from fastapi import APIRouter

from doorway import echo_app, furnished, well
from student_hub.entry.serve import make_server
from student_hub.platform.http.health import Health

pytestmark = pytest.mark.requirement("health")

KEY = {"X-API-Key": "the-administrator's-key"}


async def test_a_request_under_way_is_ended_when_the_server_is_asked_to_stop() -> None:
    """From the signal on it is not ready; what had begun is answered; then the app is put away."""
    begun, go_on, put_away = asyncio.Event(), asyncio.Event(), asyncio.Event()
    router = APIRouter()

    @router.get("/v1/slow")
    async def slow() -> str:
        begun.set()
        await go_on.wait()
        return "done"

    async def stop() -> None:
        put_away.set()

    def draining() -> bool:
        return health.draining

    health = Health(well, well, {})
    app = echo_app(furnished(), health, routers=[router], on_stop=stop)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = make_server(app, health, host="127.0.0.1", port=0)
        serving = asyncio.create_task(server._serve([listening]))  # noqa: SLF001 (without its signal handlers)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with httpx2.AsyncClient(base_url=url, headers=KEY, timeout=20) as client:
            answer = asyncio.create_task(client.get("/v1/slow"))
            await begun.wait()
            assert not draining()
            server.handle_exit(signal.SIGTERM, None)
            assert draining()
            go_on.set()
            assert (await answer).json() == "done"
        await asyncio.wait_for(serving, 20)
    assert put_away.is_set()
