"""/admin/keys and /admin/grants, over HTTP and on a real database."""

from collections.abc import Iterator

import pytest

from doorway import KNOWN, Running, echo_app, furnished, running
from student_hub.access.keys import new_key
from student_hub.access.routes import grants_router, router
from student_hub.platform.db.database import Database

pytestmark = pytest.mark.requirement("api-keys")
KEY = new_key().text


@pytest.fixture
def hub(database_url: str) -> Iterator[Running]:
    database = Database(database_url)
    app = echo_app(furnished(database), routers=[router, grants_router], on_stop=database.close)
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
        ({"name": "x", "scopes": ["read"], "role": "king"}, "role"),
        ({"name": "x", "scopes": ["admin"]}, "scopes"),
        ({"name": "x", "scopes": ["write"], "role": "teacher"}, "scopes"),
        ({"name": "x", "scopes": ["read"], "subject": "key:administrator"}, "subject"),
        ({"name": "x", "scopes": ["read"], "subject": "system"}, "subject"),
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


async def test_a_key_without_a_role_is_a_services(hub: Running) -> None:
    """As it was before there were roles."""
    async with hub.client() as administrator:
        issued = await administrator.post("/admin/keys", json={"name": "x", "scopes": ["read"]})
    key = issued.json()
    assert (key["role"], key["subject"]) == ("service", f"key:{key['id']}")


async def test_a_key_is_rotated_with_and_without_a_wish(hub: Running) -> None:
    """201 with the successor's secret; 409 for a key that has one, 422 for an endless overlap."""
    async with hub.client() as administrator:
        wanted = {"name": "x", "scopes": ["read"]}
        old = (await administrator.post("/admin/keys", json=wanted)).json()
        too_long = {"overlap_hours": 721}
        refused = await administrator.post(f"/admin/keys/{old['id']}/rotate", json=too_long)
        assert [error["field"] for error in refused.json()["errors"]] == ["overlap_hours"]
        made = await administrator.post(f"/admin/keys/{old['id']}/rotate")
        assert (made.status_code, made.json()["subject"]) == (201, old["subject"])
        again = await administrator.post(f"/admin/keys/{old['id']}/rotate", json={})
        assert (again.status_code, again.json()["code"]) == (409, -32005)
        async with hub.client(made.json()["key"]) as bearer:
            assert (await bearer.get(f"/v1/echo/{KNOWN}")).json()["caller"] == old["subject"]


async def test_a_grant_lives_from_its_gift_to_its_revocation(hub: Running) -> None:
    """201, found by its class, 200 with the time of its end, and found no more."""
    place = {"kind": "class", "school_id": "SCH001", "grade": 10, "class_name": "1반"}
    wish = {"subject": "teacher-7", "relation": "homeroom", **place}
    query = {"school_id": "SCH001", "grade": "10", "class_name": "1반"}
    async with hub.client() as administrator:
        made = await administrator.post("/admin/grants", json=wish)
        assert made.status_code == 201
        again = await administrator.post("/admin/grants", json=wish)
        assert (again.status_code, again.json()["code"]) == (409, -32005)
        listed = (await administrator.get("/admin/grants", params=query)).json()
        assert listed == {"grants": [made.json()], "next": None}
        ended = await administrator.delete(f"/admin/grants/{made.json()['id']}")
        assert ended.json()["revoked_at"] is not None
        listed = (await administrator.get("/admin/grants", params=query)).json()
        assert listed["grants"] == []
        unknown = await administrator.delete(f"/admin/grants/{KNOWN}")
        assert (unknown.status_code, unknown.json()["code"]) == (404, -32002)


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"grade": "10"}, ["grade"]),
        ({"kind": "king"}, ["kind"]),
        ({"school_id": "SCH001:10"}, ["school_id"]),
        ({"relation": "x" * 51}, ["relation"]),
        ({"expires_at": 4_102_444_800}, ["expires_at"]),
        ({"expires_at": "2030-01-01T00:00:00"}, ["expires_at"]),
        ({"kind": "student"}, ["school_id", "grade", "class_name", "student_id"]),
    ],
)
async def test_a_bad_grant_names_its_fields(
    hub: Running, changed: dict[str, object], fields: list[str]
) -> None:
    """422, each wrong field once, and nothing granted."""
    place = {"kind": "class", "school_id": "SCH001", "grade": 10, "class_name": "1반"}
    wish = {"subject": "teacher-7", "relation": "homeroom", **place, **changed}
    async with hub.client() as administrator:
        refused = await administrator.post("/admin/grants", json=wish)
        assert refused.status_code == 422
        assert [error["field"] for error in refused.json()["errors"]] == fields
        assert (await administrator.get("/admin/grants")).json()["grants"] == []
