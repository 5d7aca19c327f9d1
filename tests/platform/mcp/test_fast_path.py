"""The fast path and the SDK answer alike: the same requests to two stacks, with and without it."""

import asyncio
import json
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from pydantic import BaseModel

from doorway import TOOLS, Days, Echo, StudentId, everybody, furnished, running, settings, well
from mcp_requests import ARGUMENTS, ERAS, MODERN, Sent, mutated, valid
from student_hub.entry.assembly import assemble
from student_hub.platform.http.health import Health
from student_hub.platform.mcp.tool import Encoded, tool
from student_hub.platform.observability.metrics import Metrics

pytestmark = pytest.mark.requirement("mcp-fast-path", "bad-input")

ODD_JSON = (
    '{"student_id":"%s","days":7,"nothing":null,"이름":"김\\u0000\\"철수\\\\",'
    '"numbers":[0.1,-0.0,1e300,9007199254740993],"deep":{"a":[null,{"b":[]}]}}\n'
)
VARYING = frozenset({"date", "content-length"})
PER_SEED = 100


class Odd(BaseModel):
    student_id: str


async def echo_oddly(echo: Echo, student_id: StudentId, days: Days = 3) -> Encoded[Odd]:
    """Answers with nulls, escapes and numbers that are easily lost."""
    del echo, days
    return Encoded((ODD_JSON % student_id).encode())


ALL_TOOLS = [*TOOLS, tool(echo_oddly, title="Odd", read_only=True, idempotent=True)]


@dataclass(frozen=True)
class Stack:
    port: int
    metrics: Metrics

    async def answer(self, wire: bytes) -> tuple[str, dict[str, str], object]:
        """Status line, headers and JSON (or text) of what came back."""
        async with asyncio.timeout(30):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(wire)
            got = await reader.read()
            writer.close()
        head, _, body = got.decode().partition("\r\n\r\n")
        status, *lines = head.split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        kept = {name: value for name, value in headers.items() if name.lower() not in VARYING}
        try:
            return status, kept, json.loads(body)
        except ValueError:
            return status, kept, body

    def counted(self, series: str) -> dict[str, float]:
        """The counters of that name, by their labels."""
        lines = self.metrics.text().decode().splitlines()
        pairs = [line.rsplit(" ", 1) for line in lines if line.startswith(series + "{")]
        return {labels: float(value) for labels, value in pairs}

    @property
    def taken(self) -> float:
        return self.counted("mcp_requests_total").get('mcp_requests_total{way="fast"}', 0)


@pytest.fixture(scope="module")
def stacks() -> Iterator[tuple[Stack, Stack]]:
    """The doors with the fast path, and without it."""
    with ExitStack() as stack:
        made = []
        for fast_path in (True, False):
            parts = furnished()
            app = assemble(
                parts,
                settings(),
                Health(well, well, {}),
                routers=(),
                tools=ALL_TOOLS,
                admit=everybody,
                on_stop=well,
                fast_path=fast_path,
            )
            hub = stack.enter_context(running(app))
            made.append(Stack(int(hub.url.rsplit(":", 1)[1]), parts.get(Metrics)))
        yield made[0], made[1]


@pytest.mark.parametrize("seed", range(10))
async def test_no_mutated_request_is_answered_differently(
    stacks: tuple[Stack, Stack], seed: int
) -> None:
    """Of 1,000 requests with faults of every sort, status, headers and JSON are the same."""
    fast, plain = stacks
    dice = random.Random(seed)  # noqa: S311 (a seed that can be repeated)
    for _ in range(PER_SEED):
        wire = mutated(dice).wire()
        assert await fast.answer(wire) == await plain.answer(wire), wire
    assert fast.counted("mcp_calls_total") == plain.counted("mcp_calls_total")


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
@pytest.mark.parametrize("era", ERAS)
async def test_a_faultless_call_takes_the_fast_path_and_gets_the_same_answer(
    stacks: tuple[Stack, Stack], era: str | None, name: str
) -> None:
    """In every revision, whether the tool answers or fails, and the tool runs once."""
    fast, plain = stacks
    before = fast.taken
    wire = valid(era, name).wire()
    assert await fast.answer(wire) == await plain.answer(wire)
    assert fast.taken == before + 1
    assert plain.taken == 0
    assert fast.counted("mcp_calls_total") == plain.counted("mcp_calls_total")


FAULTS: dict[str, Callable[[Sent], None]] = {
    "name twice": lambda sent: sent.headers.append(("Mcp-Name", "echo_student")),
    "origin": lambda sent: sent.headers.append(("Origin", "http://localhost")),
    "unknown field": lambda sent: sent.body["params"].update(task={}),
    "bad argument": lambda sent: sent.body["params"]["arguments"].update(days=0),
    "wide id": lambda sent: sent.body.update(id=2**60),
    "number in meta": lambda sent: sent.body["params"]["_meta"].update({"x": 0.5}),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_whatever_is_not_plainly_good_is_left_to_the_sdk(
    stacks: tuple[Stack, Stack], fault: str
) -> None:
    """A doubled header, an origin, an unknown or bad field, an id that readers may round."""
    fast, plain = stacks
    before = fast.taken
    sent = valid(MODERN, "echo_student")
    FAULTS[fault](sent)
    assert await fast.answer(sent.wire()) == await plain.answer(sent.wire())
    assert fast.taken == before
