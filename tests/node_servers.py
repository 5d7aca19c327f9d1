"""A reference node on a real port, served by uvicorn inside the test."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import anyio
import uvicorn
from starlette.types import ASGIApp

from reference_nodes.serving.assembly import node_application, utc_now
from reference_nodes.serving.faults import Faults


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """The address of an application that answers inside the block."""
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        config = uvicorn.Config(app, log_level="error", ws="none", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_serve, server, listener)
            while not server.started:
                await anyio.lowlevel.checkpoint()
            try:
                yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            finally:
                server.should_exit = True


@asynccontextmanager
async def node(
    name: str,
    folder: Path,
    *specs: str,
    clock: Callable[[], datetime] = utc_now,
) -> AsyncIterator[str]:
    """The address of a node over the log in a folder, with these faults."""
    with node_application(name, folder, clock=clock, faults=Faults.of(specs)) as app:
        async with serving(app) as address:
            yield address


async def _serve(server: uvicorn.Server, listener: socket.socket) -> None:
    await server.serve(sockets=[listener])
