"""The whole hub against a real OpenID provider: tokens as clients really get them."""

from collections.abc import Callable

import httpx2
import jwt
import pytest
from dirty_equals import IsPartialDict
from mcp.client import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl
from structlog.testing import capture_logs

from access.tokens.conftest import OTHER_CLASS, OWN_CLASS, School
from access.tokens.openid import CALLBACK, logged_in
from mcp_requests import META, MODERN

pytestmark = [
    pytest.mark.requirement("tokens", "token-doors"),
    pytest.mark.timeout(700),  # the first run installs the provider
]

TOOL = "get_unified_profile"
CLASS = {"kind": "class", "school_id": "SCH001", "grade": 2, "class_name": OWN_CLASS}


def resource(school: School, path: str = "") -> str:
    return f"{school.hub.url}{path}"


def granted(school: School, subject: str) -> None:
    """Gives the subject its own class, as an administrator does."""
    with school.hub.client() as admin:
        wish = {**CLASS, "subject": subject, "relation": "homeroom"}
        assert admin.post("/admin/grants", json=wish).status_code == 201


def called(client: httpx2.Client, student_id: str) -> httpx2.Response:
    """A call of the tool over /mcp, in the newest revision."""
    params = {"name": TOOL, "arguments": {"student_id": student_id}, "_meta": META}
    return client.post(
        "/mcp",
        json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params},
        headers={
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": MODERN,
            "Mcp-Method": "tools/call",
            "Mcp-Name": TOOL,
        },
    )


def test_a_teacher_sees_their_own_class_and_no_other(school: School) -> None:
    """Logged in with PKCE, for the hub as a whole: over REST, and with /mcp's token over MCP."""
    granted(school, "oidc:school:teacher-kim")
    rest = school.provider.tokens_of("teacher-kim", resource(school))["access_token"]
    mcp = school.provider.tokens_of("teacher-kim", resource(school, "/mcp"))["access_token"]
    assert {jwt.get_unverified_header(token)["alg"] for token in (rest, mcp)} == {"RS256", "ES256"}
    for token in (rest, mcp):
        with school.client(token) as teacher:
            listed = teacher.get("/v1/students").json()
            assert [student["class_name"] for student in listed["students"]] == [OWN_CLASS]
            assert teacher.get(f"/v1/students/{school.own}").status_code == 200
            assert teacher.get(f"/v1/students/{school.other}").status_code == 404
            assert teacher.get(f"/v1/students/{school.own}/profile").status_code == 200
            own, other = (called(teacher, student) for student in (school.own, school.other))
            assert own.json()["result"]["structuredContent"] == IsPartialDict(student_id=school.own)
            assert other.json()["result"] == IsPartialDict(isError=True)
            assert other.json()["result"]["structuredContent"]["code"] == -32002


def test_a_teacher_without_a_grant_sees_nobody(school: School) -> None:
    """The token says who they are, not whom they may see."""
    token = school.provider.tokens_of("teacher-lee", resource(school))["access_token"]
    with school.client(token) as teacher:
        assert teacher.get("/v1/students").json()["students"] == []
        assert teacher.get(f"/v1/students/{school.own}").status_code == 404


def test_a_service_writes_within_its_scopes(school: School) -> None:
    """Client credentials with a resource indicator; it is told which scope it lacks."""
    reader = school.provider.service_token(resource(school))
    writer = school.provider.service_token(resource(school), "hub:read hub:write")
    change = {"class_name": OTHER_CLASS}
    with school.client(reader) as service:
        assert len(service.get("/v1/students").json()["students"]) == 2
        refused = service.patch(f"/v1/students/{school.own}", json=change)
        assert refused.status_code == 403
        challenge = refused.headers["www-authenticate"]
    assert 'error="insufficient_scope"' in challenge
    assert 'scope="hub:read hub:write"' in challenge
    with school.client(writer) as service:
        assert service.patch(f"/v1/students/{school.own}", json=change).status_code == 200


REFUSED: dict[str, Callable[[School], str]] = {
    "a token for another API": lambda school: school.provider.service_token(
        "https://other.example"
    ),
    "a token for nobody": lambda school: school.provider.service_token(None, ""),
    "an ID token": lambda school: school.provider.tokens_of("head-park", resource(school))[
        "id_token"
    ],
    "a token that was cut": lambda school: school.provider.service_token(resource(school))[:-2],
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_access_token_for_the_hub_is_refused(school: School, kind: str) -> None:
    """401, and where to get a better one."""
    with school.client(REFUSED[kind](school)) as client:
        refused = client.get("/v1/students")
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]


def test_somebody_without_a_role_is_forbidden(school: School) -> None:
    """403 at every door, and no hint at another token."""
    token = school.provider.tokens_of("gardener-han", resource(school))["access_token"]
    with school.client(token) as client:
        for refused in (client.get("/v1/students"), called(client, school.own)):
            assert refused.status_code == 403
            assert "www-authenticate" not in refused.headers
            assert "No role" in refused.text


def test_an_administrator_of_the_provider_administers_with_the_scope_only(school: School) -> None:
    """The role alone reads."""
    plain = school.provider.tokens_of("head-park", resource(school))["access_token"]
    full = school.provider.tokens_of("head-park", resource(school), "hub:admin")["access_token"]
    with school.client(plain) as reader, school.client(full) as admin:
        assert reader.get("/v1/students").status_code == 200
        assert reader.get("/admin/keys").status_code == 403
        assert admin.get("/admin/keys").status_code == 200


def test_good_tokens_outlive_their_provider(school: School) -> None:
    """Those it has signed go on, remembered or not; API keys do not notice."""
    seen, unseen = (school.provider.service_token(resource(school)) for _ in range(2))
    with school.client(seen) as first, school.client(unseen) as second:
        assert first.get("/v1/students").status_code == 200
        school.provider.stop()
        for client in (first, second):
            assert client.get("/v1/students").status_code == 200
    with school.hub.client() as admin:
        assert admin.get("/v1/students").status_code == 200


def test_without_its_provider_a_fresh_hub_says_come_back(school: School) -> None:
    """503 with Retry-After for tokens, 200 for API keys."""
    token = school.provider.service_token(resource(school))
    school.provider.stop()
    with school.client(token) as client:
        for answer in (client.get("/v1/students"), called(client, school.own)):
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    with school.hub.client() as admin:
        assert admin.get("/v1/students").status_code == 200


def test_no_token_goes_on_to_a_node_or_into_the_log(school: School) -> None:
    """All that the nodes were sent, and all that was logged, holds no part of it."""
    granted(school, "oidc:school:teacher-kim")
    token = school.provider.tokens_of("teacher-kim", resource(school))["access_token"]
    with (
        capture_logs() as lines,
        school.client(token) as teacher,
        school.client(f"{token}x") as forger,
    ):
        assert teacher.get(f"/v1/students/{school.own}/profile").status_code == 200
        assert called(teacher, school.own).status_code == 200
        assert forger.get("/v1/students").status_code == 401
    assert {"http_request", "token_refused"} <= {line["event"] for line in lines}
    seen = school.hub.node.seen
    assert len(seen) >= 5
    assert "teacher-kim" not in str(seen)
    for said in (*seen, str(lines)):
        assert "authorization" not in said.lower()
        assert not any(part in said for part in token.split("."))


class Memory:
    """Where an MCP client keeps what it was given."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


async def test_an_mcp_client_finds_its_way_from_a_401(school: School) -> None:
    """Challenge, resource metadata, provider, registration, log-in, token, call: the SDK alone."""
    granted(school, "oidc:school:teacher-kim")
    memory, visited = Memory(), list[str]()

    async def browse(url: str) -> None:
        visited.append(url)

    async def come_back() -> AuthorizationCodeResult:
        back = logged_in(visited[-1], CALLBACK)
        return AuthorizationCodeResult(code=back["code"], state=back["state"], iss=back["iss"])

    wanted = OAuthClientMetadata(
        client_name="assistant",
        redirect_uris=[AnyUrl(CALLBACK)],
        application_type="native",
        token_endpoint_auth_method="none",
        grant_types=["authorization_code"],
    )
    auth = OAuthClientProvider(resource(school, "/mcp"), wanted, memory, browse, come_back)
    async with create_mcp_http_client(auth=auth) as http:
        transport = streamable_http_client(resource(school, "/mcp"), http_client=http)
        async with Client(transport) as client:
            answer = await client.call_tool(TOOL, {"student_id": school.own})
    assert answer.structured_content == IsPartialDict(student_id=school.own)
    assert len(visited) == 1
    assert memory.tokens is not None
    claims = jwt.decode(memory.tokens.access_token, options={"verify_signature": False})
    assert claims["aud"] == resource(school, "/mcp")
    assert claims["scope"] == "hub:read"
