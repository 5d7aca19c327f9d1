"""Who gets in."""

import pytest

from doorway import ADMINISTRATOR_KEY, KNOWN, Running
from student_hub.platform.http.authentication import STATES, origin_of
from student_hub.platform.security.caller import Door, Origin

pytestmark = pytest.mark.requirement("authentication")

LOCKED = ("/mcp", "/rpc", "/metrics", "/v1/echo", "/nowhere", "/livez/", "/docs/x", "//livez")
BAD: tuple[dict[str, str], ...] = (
    {},
    {"X-API-Key": "wrong"},
    {"X-API-Key": ""},
    {"X-API-Key": "x" * 9_000},
    {"X-API-Key": "a strange key"},
    {"Authorization": f"Basic {ADMINISTRATOR_KEY}"},
    {"Authorization": "Bearer shk_live_0123456789ab_" + "0" * 48 + "_00000000"},
    {"Authorization": "Bearer another", "X-API-Key": ADMINISTRATOR_KEY},
)


@pytest.mark.parametrize("path", LOCKED)
async def test_without_a_key_nothing_but_the_public_paths_answers(hub: Running, path: str) -> None:
    """401 everywhere else, mounted apps and paths that do not exist included."""
    async with hub.client(key=None) as client:
        for method in ("GET", "POST"):
            answer = await client.request(method, path)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")
            said = answer.json().get("error", answer.json())
            assert said["code"] == -32003


@pytest.mark.parametrize("path", sorted(STATES))
async def test_the_public_paths_need_no_key(hub: Running, path: str) -> None:
    """States and the description of the interface are open, as stated."""
    async with hub.client(key=None) as client:
        assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize("path", ["/rpc", "/mcp", "/v1/echo"])
async def test_a_missing_and_a_wrong_key_are_answered_alike(hub: Running, path: str) -> None:
    """Nobody learns from the answer how near a key was; only the request's id differs."""
    answers = []
    async with hub.client(key=None) as client:
        for headers in BAD:
            answer = await client.post(path, headers=headers)
            own = answer.headers["x-request-id"]
            answers.append((answer.status_code, answer.text.replace(own, "…")))
    assert len(set(answers)) == 1
    assert answers[0][0] == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-Key": ADMINISTRATOR_KEY},
        {"Authorization": f"Bearer {ADMINISTRATOR_KEY}"},
        {"Authorization": f"bearer  {ADMINISTRATOR_KEY}"},
        {"Authorization": f"Bearer {ADMINISTRATOR_KEY}", "X-API-Key": ADMINISTRATOR_KEY},
    ],
)
async def test_a_key_is_taken_from_either_header(hub: Running, headers: dict[str, str]) -> None:
    """X-API-Key and a bearer token do the same, and the room learns who is calling."""
    async with hub.client(key=None) as client:
        answer = await client.get(f"/v1/echo/{KNOWN}", headers=headers)
    assert answer.json()["caller"] == "key:administrator"


@pytest.mark.parametrize(
    ("path", "door"),
    [
        ("/mcp", Door.MCP),
        ("/rpc", Door.RPC),
        ("/admin/keys", Door.ADMIN),
        ("/v1/students", Door.REST),
        ("/administration", Door.REST),
        ("/mcp/", Door.REST),
    ],
)
def test_a_caller_is_told_apart_by_door_address_and_request(path: str, door: Door) -> None:
    """What the audit log says of where a request came from."""
    scope = {"path": path, "client": ("10.0.0.7", 4711), "state": {"request_id": "r-1"}}
    assert origin_of(scope) == Origin(door, "10.0.0.7", "r-1")
    assert origin_of({"path": path}) == Origin(door)
