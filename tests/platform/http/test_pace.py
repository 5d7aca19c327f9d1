"""How many requests begin in one turn of the loop, and who is turned away before they do."""

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest
from starlette.types import Receive, Scope, Send

from doorway import well
from student_hub.entry.serve import make_server
from student_hub.platform.http.edge import Edge
from student_hub.platform.http.health import Health
from student_hub.platform.http.load import Load
from student_hub.platform.http.pace import Pace
from student_hub.platform.mcp.envelopes import JSONRPC_PATHS, refusal
from student_hub.platform.observability.metrics import Metrics

pytestmark = pytest.mark.requirement("load-shed")


async def test_a_crowd_begins_in_its_order_and_so_many_in_a_turn() -> None:
    """However many come at once, a turn of the loop begins no more than it may."""
    pace = Pace(4)
    begun: list[int] = []
    turns: list[int] = []
    for number in range(10):
        pace.begin(lambda number=number: begun.append(number))  # type: ignore[misc]
    turns.append(len(begun))
    assert pace.waiting == 6
    while pace.waiting:
        before = len(begun)
        await asyncio.sleep(0)
        turns.append(len(begun) - before)
    assert begun == list(range(10))
    assert max(turns) == 4
    for _ in range(3):
        await asyncio.sleep(0)
    pace.begin(lambda: begun.append(10))
    assert begun[-1] == 10


class Held:
    """An app that holds requests until it is let go on, and its port."""

    def __init__(self) -> None:
        self.inside = threading.Semaphore(0)
        self.go_on = threading.Event()
        self.metrics = Metrics()
        self.port = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for done in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{done}.complete"})
            return
        self.inside.release()
        if scope["path"].startswith("/held"):
            while not self.go_on.is_set():  # noqa: ASYNC110 (a test's thread sets it)
                await asyncio.sleep(0.01)
        headers = [(b"content-length", b"4")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"done"})


@pytest.fixture
def held() -> Iterator[Held]:
    """Two requests may be under way."""
    app = Held()
    edge = Edge(app, refuse=refusal, metrics=app.metrics, load=Load(2), forms=JSONRPC_PATHS)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        app.port = listening.getsockname()[1]
        server = make_server(edge, Health(well, well, {}), host="127.0.0.1", port=0)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        yield app
        app.go_on.set()
        server.should_exit = True
        thread.join(60)


class Client:
    """One connection that is kept open."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)

    def ask(self, path: str, body: bytes = b"") -> None:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        self._socket.sendall(head.encode() + body)

    def hear(self) -> str:
        said = self._socket.recv(65_536).decode()
        length = int(said.lower().partition("content-length: ")[2].partition("\r\n")[0])
        while len(said.partition("\r\n\r\n")[2]) < length:
            said += self._socket.recv(65_536).decode()
        return said

    def close(self) -> None:
        self._socket.close()


@pytest.mark.parametrize(("path", "form"), [("/v1/x", "urn:"), ("/rpc", "-32603")])
def test_who_is_one_too_many_hears_so_and_may_come_again(held: Held, path: str, form: str) -> None:
    """The app knows nothing of it; the same connection is served when there is room."""
    inside = [Client(held.port) for _ in range(2)]
    for client in inside:
        client.ask("/held")
        assert held.inside.acquire(timeout=30)
    late = Client(held.port)
    for _ in range(3):
        late.ask(path, b"{}")
        said = late.hear()
        assert said.startswith("HTTP/1.1 503 Service Unavailable\r\n")
        assert "retry-after: 1\r\n" in said
        assert "x-content-type-options: nosniff\r\n" in said
        assert form in said
    assert not held.inside.acquire(blocking=False)
    late.ask("/livez")
    assert late.hear().startswith("HTTP/1.1 200 OK\r\n")
    assert held.inside.acquire(timeout=30)
    held.go_on.set()
    for client in inside:
        assert client.hear().endswith("done")
    late.ask(path, b"{}")
    assert late.hear().startswith("HTTP/1.1 200 OK\r\n")
    assert 'requests_shed_total{reason="requests"} 3.0' in held.metrics.text().decode()
    for client in (*inside, late):
        client.close()
