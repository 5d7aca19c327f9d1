"""/admin/keys, over HTTP and on a real database."""

from collections.abc import Iterator

import pytest

from doorway import KNOWN, Running, echo_app, furnished, running
from student_hub.access.keys import new_key
from student_hub.access.routes import router
from student_hub.platform.db.database import Database

pytestmark = pytest.mark.requirement("api-keys")
KEY = new_key().text


@pytest.fixture
def hub(database_url: str) -> Iterator[Running]:
    database = Database(database_url)
    app = echo_app(furnished(database), routers=[router], on_stop=database.close)
    with running(app) as hub:
        yield hub


async def test_a_key_lives_from_its_issue_to_its_revocation(hub: Running) -> None:
    """Issued by the administrator, used by its bearer at once, refused once revoked."""
    wanted = {"name": "class tablet", "scopes": ["read"], "expires_in_days": 7}
    async with hub.client() as administrator:
        issued = await administrator.post("/admin/keys", json=wanted)
        assert issued.status_code == 201
        async with hub.client(issued.json()["key"]) as bearer:
            echoed = await bearer.get(f"/v1/echo/{KNOWN}")
            assert echoed.json()["caller"] == f"key:{issued.json()['id']}"
            assert (await bearer.get("/admin/keys")).status_code == 403
            listed = (await administrator.get("/admin/keys")).json()
            assert [key["name"] for key in listed] == ["class tablet"]
            assert "key" not in listed[0]
            await administrator.delete(f"/admin/keys/{issued.json()['id']}")
            assert (await bearer.get(f"/v1/echo/{KNOWN}")).status_code == 401


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"name": "", "scopes": ["read"]}, "name"),
        ({"name": "a\u0000b", "scopes": ["read"]}, "name"),
        ({"name": " ", "scopes": ["read"]}, "name"),
        ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "x", "scopes": ["king"]}, "scopes[0]"),
        ({"name": "x", "scopes": ["read"], "expires_in_days": 0}, "expires_in_days"),
        ({"name": "x", "scopes": ["read"], "hash": "x"}, "hash"),
    ],
)
async def test_a_bad_wish_names_its_field(
    hub: Running, wanted: dict[str, object], field: str
) -> None:
    """422 and no key."""
    async with hub.client() as administrator:
        refused = await administrator.post("/admin/keys", json=wanted)
        assert refused.status_code == 422
        assert [error["field"] for error in refused.json()["errors"]] == [field]
        assert (await administrator.get("/admin/keys")).json() == []


async def test_an_unknown_key_is_a_404(hub: Running) -> None:
    """The administrator hears so, with the platform's code."""
    async with hub.client() as administrator:
        answer = await administrator.delete("/admin/keys/0123456789ab")
    assert (answer.status_code, answer.json()["code"]) == (404, -32002)
    assert "0123456789ab" not in answer.text


@pytest.mark.parametrize(
    "pasted",
    ["%00", "nobody", "0123456789AB", "0123456789ab%0A", KEY],
    ids=["NUL", "a word", "capitals", "a line's end", "a whole key"],
)
async def test_what_is_no_id_of_a_key_is_refused_and_not_repeated(
    hub: Running, pasted: str
) -> None:
    """Somebody who pastes a whole key does not find it in the answer; a NUL is no 500."""
    async with hub.client() as administrator:
        answer = await administrator.delete(f"/admin/keys/{pasted}")
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["key_id"]
    assert KEY not in answer.text
