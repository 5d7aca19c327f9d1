"""How large a body may be, and what counts as JSON, before any room sees it."""

from collections.abc import AsyncIterator

import pytest

from doorway import MOST_BYTES, Running

pytestmark = pytest.mark.requirement("body-limit", "bad-input")

DOORS = ("/rpc", "/mcp", "/v1/echo")
JSON = {"content-type": "application/json", "accept": "application/json, text/event-stream"}


@pytest.mark.parametrize("door", DOORS)
async def test_a_body_of_ten_megabytes_is_refused(hub: Running, door: str) -> None:
    """413 by its announced length, whichever door it came to."""
    async with hub.client() as client:
        answer = await client.post(door, content=b"x" * 10_000_000, headers=JSON)
    assert answer.status_code == 413
    assert str(MOST_BYTES) in answer.text


@pytest.mark.parametrize("door", DOORS)
async def test_a_body_without_a_length_is_cut_as_it_grows(hub: Running, door: str) -> None:
    """413 for chunks that add up to too much, before all of them are kept."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"[" * 100_000

    async with hub.client() as client:
        answer = await client.post(door, content=chunks(), headers=JSON)
    assert answer.status_code == 413


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "text",
    [b'{"a":', b'{"text": "a", "weight": NaN}', b'{"text": "a", "text": "b"}', b"[" * 5_000],
    ids=["broken", "NaN", "a doubled key", "deep"],
)
async def test_what_is_not_strict_json_is_refused(hub: Running, door: str, text: bytes) -> None:
    """400 and -32700 with the reason; nothing behind the door sees the body."""
    async with hub.client() as client:
        answer = await client.post(door, content=text, headers=JSON)
    assert answer.status_code == 400
    said = answer.json().get("error", answer.json())
    assert said["code"] == -32700
    assert "The body is not JSON" in answer.text


@pytest.mark.parametrize("door", ["/rpc", "/mcp"])
async def test_another_content_type_is_refused_where_only_json_is_spoken(
    hub: Running, door: str
) -> None:
    """415 says what to send."""
    async with hub.client() as client:
        answer = await client.post(door, content=b"{}", headers={"content-type": "text/plain"})
    assert answer.status_code == 415
    assert "application/json" in answer.text


async def test_a_route_gets_no_body_of_another_content_type(hub: Running) -> None:
    """A form where JSON is wanted is a 422 that names the body."""
    async with hub.client() as client:
        answer = await client.post("/v1/echo", content=b"a=b", headers={"content-type": "text/x"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "body"
