"""What the doors say to clients that want a token, and what they say where none is taken."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from mcp.client.auth.utils import (
    extract_resource_metadata_from_www_auth,
    extract_scope_from_www_auth,
    handle_protected_resource_response,
)

from access.tokens.minting import AUDIENCE, ISSUER, claims, key, mint
from access.tokens.reader import Documents, Time, tokens_of
from doorway import (
    ADMINISTRATOR_KEY,
    KNOWN,
    NO_STORE,
    NOWHERE,
    PEPPERS,
    an_audit,
    in_process,
    well,
)
from student_hub.access.service import Access
from student_hub.entry.api import create_app
from student_hub.entry.context import environment
from student_hub.entry.stack.errors import StackError
from student_hub.entry.usable import require_usable
from student_hub.platform.cache.line import Line
from student_hub.platform.db.database import Database
from student_hub.platform.http.challenges import WELL_KNOWN
from student_hub.platform.http.health import Health
from student_hub.platform.limits.limiter import Limiter
from student_hub.platform.observability.metrics import Metrics
from student_hub.platform.parts import Parts
from student_hub.platform.security.caller import Role
from student_hub.platform.settings import Settings

pytestmark = pytest.mark.requirement("token-doors", "authentication")

PARAMETER = re.compile(r'(\w+)="([^"\\]*)"')
BY_ISSUER = Settings.model_validate({"oidc_issuers": ISSUER, "resource_url": f"{AUDIENCE}/"})
PATHS = ("", "/mcp")


@pytest.fixture
def documents() -> Documents:
    return Documents(key())


def parts_of(documents: Documents) -> Parts:
    parts, database = Parts(), Database(NOWHERE)
    parts.put(Metrics())
    parts.put(Limiter(Line(NO_STORE), {}))
    tokens = tokens_of(documents, Time())
    audit = an_audit(database)
    parts.put(
        Access(
            database,
            peppers=PEPPERS,
            audit=audit,
            administrator_key=ADMINISTRATOR_KEY,
            tokens=tokens,
        )
    )
    return parts


@pytest.fixture
async def client(documents: Documents) -> AsyncIterator[httpx2.AsyncClient]:
    """A client without a credential, before a hub that takes tokens."""
    app = create_app(parts_of(documents), BY_ISSUER, Health(well, well, {}), well)
    async with in_process(app, key=None) as client:
        yield client


@pytest.fixture
async def plain(documents: Documents) -> AsyncIterator[httpx2.AsyncClient]:
    """The same before a hub without an issuer."""
    app = create_app(parts_of(documents), Settings(), Health(well, well, {}), well)
    async with in_process(app, key=None) as client:
        yield client


def challenge_in(answer: httpx2.Response) -> dict[str, str]:
    """The parameters of a Bearer challenge, of which there is one."""
    values = answer.headers.get_list("www-authenticate")
    assert len(values) == 1
    scheme, _, rest = values[0].partition(" ")
    assert scheme == "Bearer"
    pairs = [PARAMETER.fullmatch(pair) for pair in rest.split(", ")]
    return {pair[1]: pair[2] for pair in pairs if pair is not None}


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("path", PATHS)
async def test_the_metadata_names_the_resource_that_it_was_asked_for(
    client: httpx2.AsyncClient, path: str
) -> None:
    """RFC 9728, 3.3: the document's resource is the one its address was made of; no key needed."""
    answer = await client.get(f"{WELL_KNOWN}{path}")
    assert answer.status_code == 200
    assert answer.json() == {
        "resource": f"{AUDIENCE}{path}",
        "resource_name": "Student Hub",
        "authorization_servers": [ISSUER],
        "scopes_supported": ["hub:read", "hub:write", "hub:sensitive", "hub:plan", "hub:admin"],
        "bearer_methods_supported": ["header"],
    }
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert await handle_protected_resource_response(answer) is not None


@pytest.mark.parametrize(
    ("path", "document"),
    [("/mcp", "/mcp"), ("/rpc", ""), ("/v1/students", ""), ("/nowhere", ""), ("/mcp/x", "")],
)
async def test_a_401_points_at_the_metadata(
    client: httpx2.AsyncClient, path: str, document: str
) -> None:
    """At every door; without an error where nothing was offered, as RFC 6750 has it."""
    answer = await client.post(path)
    assert answer.status_code == 401
    assert challenge_in(answer) == {
        "realm": "student-hub",
        "scope": "hub:read",
        "resource_metadata": f"{AUDIENCE}{WELL_KNOWN}{document}",
    }
    found = extract_resource_metadata_from_www_auth(answer)
    assert found == f"{AUDIENCE}{WELL_KNOWN}{document}"
    assert extract_scope_from_www_auth(answer) == "hub:read"


@pytest.mark.parametrize("path", ["/mcp", "/rpc", "/v1/students"])
async def test_a_bad_token_is_told_to_be_one_and_no_more(
    client: httpx2.AsyncClient, path: str
) -> None:
    """Expired, forged or for somebody else: one answer, the same as for a wrong key."""
    bad = [mint(claims(exp=1)), mint(claims(aud="x")), mint(by=key("ES256")), "a.b.c", "wrong"]
    answers = [await client.post(path, headers=bearing(token)) for token in bad]
    texts = {answer.text.replace(answer.headers["x-request-id"], "…") for answer in answers}
    assert len(texts) == 1
    assert {answer.status_code for answer in answers} == {401}
    assert {challenge_in(answer)["error"] for answer in answers} == {"invalid_token"}


async def test_a_wrong_key_is_no_bad_token(client: httpx2.AsyncClient) -> None:
    """X-API-Key is not RFC 6750's: its challenge has no error."""
    answer = await client.get("/v1/students", headers={"X-API-Key": "wrong"})
    assert answer.status_code == 401
    assert "error" not in challenge_in(answer)


async def test_a_scope_that_another_token_could_have_is_asked_for(
    client: httpx2.AsyncClient,
) -> None:
    """403 with what to ask the issuer for; the scopes that are there are not to be lost by it."""
    token = mint(claims(roles=["admin"], scope="hub:read"))
    answer = await client.get("/admin/keys", headers=bearing(token))
    assert answer.status_code == 403
    assert challenge_in(answer) == {
        "realm": "student-hub",
        "error": "insufficient_scope",
        "scope": "hub:admin hub:read",
        "resource_metadata": f"{AUDIENCE}{WELL_KNOWN}",
    }


async def test_no_token_is_asked_for_that_the_role_could_not_have(
    client: httpx2.AsyncClient,
) -> None:
    """A client would ask its issuer in circles."""
    token = mint(claims(roles=["service"], scope="hub:write"))
    for path in ("/admin/keys", "/admin/grants"):
        answer = await client.get(path, headers=bearing(token))
        assert answer.status_code == 403
        assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize("path", ["/mcp", "/rpc", f"/v1/students/{KNOWN}"])
async def test_while_the_provider_is_away_tokens_are_for_later_and_keys_for_now(
    client: httpx2.AsyncClient, documents: Documents, path: str
) -> None:
    """503 with Retry-After; nobody is told to log in anew."""
    documents.away = True
    answer = await client.post(path, headers=bearing(mint()))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "www-authenticate" not in answer.headers
    by_key = await client.post("/nowhere", headers={"X-API-Key": ADMINISTRATOR_KEY})
    assert by_key.status_code == 404


@pytest.mark.parametrize("path", PATHS)
async def test_without_an_issuer_there_is_no_metadata(plain: httpx2.AsyncClient, path: str) -> None:
    """404 in plain words; clients then know that there is nobody to ask."""
    answer = await plain.get(f"{WELL_KNOWN}{path}")
    assert answer.status_code == 404
    assert "no issuer" in answer.json()["detail"]


@pytest.mark.parametrize("headers", [{}, bearing(ADMINISTRATOR_KEY[1:])])
async def test_without_an_issuer_a_401_is_what_it_was(
    plain: httpx2.AsyncClient, headers: dict[str, str]
) -> None:
    """A bare challenge: there is no metadata to point at."""
    answer = await plain.post("/mcp", headers=headers)
    assert answer.headers["www-authenticate"] == 'Bearer realm="student-hub"'


async def test_the_settings_name_audiences_and_aliases() -> None:
    """One URL, a list or an object of issuers; names of one's own instead of the address."""
    assert BY_ISSUER.oidc_issuers == {"id.example.org": ISSUER}
    several = Settings.model_validate(
        {"oidc_issuers": '["https://a.example", "https://b.example"]'}
    )
    assert several.oidc_issuers == {
        "a.example": "https://a.example",
        "b.example": "https://b.example",
    }
    named = Settings.model_validate({"oidc_issuers": '{"school": "https://a.example"}'})
    assert named.oidc_issuers == {"school": "https://a.example"}
    assert Settings.model_validate({"oidc_audience": "student-hub"}).oidc_audience == [
        "student-hub"
    ]
    assert Settings.model_validate({"oidc_audience": '["a", "b"]'}).oidc_audience == ["a", "b"]


USABLE = {"oidc_issuers": {"school": ISSUER}, "resource_url": AUDIENCE}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"resource_url": None}, "needs RESOURCE_URL"),
        ({"resource_url": "hub.example.org"}, "must look like"),
        ({"resource_url": 'https://hub.example.org/"'}, "must look like"),
        ({"resource_url": "https://hub.example.org/?x=1"}, "must look like"),
        ({"oidc_issuers": {"school": "http://id.example.org"}}, "https://"),
        ({"oidc_issuers": {"school": "https://"}}, "https://"),
        ({"oidc_issuers": {"a:b": ISSUER}}, "alias"),
        ({"oidc_issuers": {"": ISSUER}}, "alias"),
        ({"oidc_issuers": {"a" * 60: ISSUER}}, "alias"),
    ],
)
def test_settings_that_make_no_sense_are_refused_at_the_start(
    changes: dict[str, Any], complaint: str
) -> None:
    """In one sentence that names the setting."""
    require_usable(Settings.model_validate(USABLE))
    with pytest.raises(StackError, match=complaint):
        require_usable(Settings.model_validate({**USABLE, **changes}))


def test_the_environment_is_read_as_it_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that `up` starts reads the same issuers and names as its parent."""
    monkeypatch.setenv("OIDC_ISSUERS", ISSUER)
    monkeypatch.setenv("OIDC_AUDIENCE", "student-hub")
    monkeypatch.setenv("OIDC_ROLE_MAP", '{"hub-teacher": "teacher"}')
    settings = Settings()
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    again = Settings()
    for read in (settings, again):
        assert read.oidc_issuers == {"id.example.org": ISSUER}
        assert read.oidc_audience == ["student-hub"]
        assert read.oidc_role_map == {"hub-teacher": Role.TEACHER}


def test_two_issuers_of_one_host_need_aliases() -> None:
    """Or the subjects of the one would be the subjects of the other."""
    both = '["https://id.example.org/realms/a", "https://id.example.org/realms/b"]'
    with pytest.raises(ValueError, match="need aliases"):
        Settings.model_validate({"oidc_issuers": both})


def test_plain_http_to_another_machine_is_a_setting() -> None:
    """For networks that are trusted; off by default."""
    there = {"oidc_issuers": {"school": "http://id.example.org"}, "resource_url": AUDIENCE}
    require_usable(Settings.model_validate({**there, "oidc_allow_http": True}))
