"""Who a token makes of its bearer: subject, role and scopes, within what the hub allows."""

from collections.abc import Mapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from access.tokens.minting import AUDIENCE, ISSUER, NOW, claims, key, mint
from access.tokens.reader import Documents, Time, flaw_of, issuer_of, tokens_of
from student_hub.access.identity import Identity
from student_hub.access.policy import CEILINGS, ceiling
from student_hub.access.tokens.errors import NoRole
from student_hub.access.tokens.roles import UPWARDS, Choice, Roles, paths_of
from student_hub.access.tokens.service import Tokens
from student_hub.platform.errors import Kind
from student_hub.platform.security.caller import Role, Scope

pytestmark = pytest.mark.requirement("token-identity")

OTHER = "https://id.other.example"
READ, WRITE, SENSITIVE, ADMIN = Scope.READ, Scope.WRITE, Scope.SENSITIVE, Scope.ADMIN


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def documents() -> Documents:
    return Documents(key())


@pytest.fixture
def tokens(documents: Documents, time: Time) -> Tokens:
    return tokens_of(documents, time)


def roles(claim: str | None = None, **given: Any) -> Roles:
    return Roles(paths_of(claim, [AUDIENCE, "student-hub"]), **given)


async def identity_of(tokens: Tokens, **changes: Any) -> Identity:
    payload = {**claims(), **changes}
    return await tokens.identify(mint({name: v for name, v in payload.items() if v is not ...}))


async def test_a_subject_is_named_after_its_issuer(tokens: Tokens) -> None:
    """What grants are given to; the credential names the client too, for the rate limit."""
    identity = await identity_of(tokens)
    assert identity == Identity(
        "oidc:school:teacher-kim",
        Role.TEACHER,
        frozenset({READ}),
        "oidc:school:teacher-kim@school-app",
    )


@pytest.mark.parametrize(
    ("changes", "client"),
    [
        ({"client_id": ..., "azp": "web"}, "web"),
        ({"client_id": ..., "azp": ...}, ""),
        ({"client_id": "김"}, ""),
        ({"client_id": ["x"]}, ""),
    ],
)
async def test_a_client_without_a_sane_name_has_none(
    tokens: Tokens, changes: dict[str, Any], client: str
) -> None:
    """Both names of the claim are known: RFC 9068's, and that of OpenID Connect."""
    identity = await identity_of(tokens, **changes)
    assert identity.credential == f"oidc:school:teacher-kim@{client}"


async def test_one_name_at_two_issuers_is_two_subjects(documents: Documents, time: Time) -> None:
    """And a key of the one proves nothing about the other."""
    theirs = Documents(key("ES256"))
    theirs.metadata["issuer"] = OTHER
    school = issuer_of(documents, time)
    district = issuer_of(theirs, time, OTHER, "district")
    tokens = Tokens(
        {ISSUER: school, OTHER: district},
        audiences=[AUDIENCE],
        roles=roles(),
        ceiling=ceiling,
        clock=time,
    )
    here = await tokens.identify(mint())
    there = await tokens.identify(mint(claims(iss=OTHER), by=key("ES256")))
    assert (here.subject, there.subject) == ("oidc:school:teacher-kim", "oidc:district:teacher-kim")
    assert await flaw_of(tokens, mint(claims(iss=OTHER))) == "key"
    crossed = mint(header={**key().header, "kid": key("ES256").kid}, by=key("ES256"))
    assert await flaw_of(tokens, crossed) == "key"


@pytest.mark.parametrize(
    "said",
    [
        {"roles": ["parent"]},
        {"roles": "parent"},
        {"realm_access": {"roles": ["offline_access", "parent"]}},
        {"resource_access": {AUDIENCE: {"roles": ["parent"]}}},
        {"resource_access": {"student-hub": {"roles": ["parent"]}}},
        {"roles": ["x", 7, None, ["teacher"], {"roles": "admin"}, "parent"], "realm_access": []},
    ],
)
def test_roles_are_found_in_the_usual_places(said: dict[str, Any]) -> None:
    """Of a realm, of the token, and of the hub as a client of Keycloak's."""
    assert roles().of(said) is Role.PARENT


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"roles": []},
        {"roles": ["king", "Teacher", "teacher ", "teachers"]},
        {"roles": {"teacher": True}},
        {"roles": 1},
        {"realm_access": ["teacher"]},
        {"realm_access": {"roles": None}},
        {"resource_access": {"account": {"roles": ["teacher"]}}},
        {"groups": ["teacher"]},
    ],
)
def test_roles_elsewhere_and_names_alike_do_not_count(said: dict[str, Any]) -> None:
    """Neither a role for another client, nor one of another case or form."""
    assert roles().of(said) is None


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        ("hub.who", {"hub": {"who": "teacher"}}),
        ("https://example.org/roles", {"https://example.org/roles": ["teacher"]}),
        ("groups", {"groups": ["teacher"], "roles": ["admin"]}),
    ],
)
def test_a_place_of_ones_own_replaces_the_usual_ones(claim: str, said: dict[str, Any]) -> None:
    """A path with dots, or the whole name of a claim that has dots in it."""
    assert roles(claim).of(said) is Role.TEACHER
    assert roles(claim).of({"roles": ["admin"]}) is None


def test_names_of_ones_own_replace_the_hubs() -> None:
    """Where `admin` means somebody else, it means nothing here."""
    mapped = roles(names={"hub-admin": Role.ADMIN, "교사": Role.TEACHER})
    assert mapped.of({"roles": ["hub-admin"]}) is Role.ADMIN
    assert mapped.of({"roles": ["교사", "admin"]}) is Role.TEACHER
    assert mapped.of({"roles": ["admin", "teacher"]}) is None


def test_of_several_roles_the_least_powerful_counts() -> None:
    """Unless the setting says otherwise; the order is that of the ceilings."""
    everyone: dict[str, Any] = {"roles": [role.value for role in Role]}
    assert roles().of(everyone) is Role.STUDENT
    assert roles(choice=Choice.MOST).of(everyone) is Role.ADMIN
    both: dict[str, Any] = {"roles": ["teacher"], "realm_access": {"roles": ["parent"]}}
    assert roles().of(both) is Role.PARENT
    assert roles(choice=Choice.MOST).of(both) is Role.TEACHER
    assert set(UPWARDS) == set(Role)
    assert [len(CEILINGS[role]) for role in UPWARDS] == sorted(len(CEILINGS[role]) for role in Role)


SCOPES: Mapping[tuple[str, str], set[Scope]] = {
    ("teacher", ""): {READ},
    ("teacher", "openid profile"): {READ},
    ("teacher", "hub:read hub:write hub:admin"): {READ},
    ("teacher", "hub:write"): set(),
    ("teacher", "hub:read hub:plan"): {READ, Scope.PLAN},
    ("admin", "openid"): {READ},
    ("admin", "hub:admin"): {ADMIN},
    ("admin", "hub:read write sensitive"): {READ, WRITE, SENSITIVE},
    ("service", "hub:write"): {WRITE},
    ("service", "hub:admin hub:sensitive"): {SENSITIVE},
    ("service", "hub:nothing"): set(),
    ("service", "hub:WRITE hub: other:write HUB:write"): set(),
    ("service", "other:write writer"): {READ},
    ("service", "  write\u00a0 "): {READ},
    ("student", "read"): {READ},
    ("parent", "admin"): set(),
}


@pytest.mark.parametrize(("said", "scopes"), SCOPES.items())
async def test_scopes_are_those_of_the_token_that_the_role_may_hold(
    tokens: Tokens, said: tuple[str, str], scopes: set[Scope]
) -> None:
    """With the hub's prefix or without; a token without any of the hub's may read."""
    role, scope = said
    identity = await identity_of(tokens, roles=[role], scope=scope)
    assert identity.scopes == scopes
    assert identity.role == role


async def test_a_good_token_without_a_role_is_forbidden_not_unauthenticated(
    tokens: Tokens,
) -> None:
    """Another log-in would not help: 403, and the operator sees who it was."""
    with capture_logs() as lines, pytest.raises(NoRole) as refused:
        await identity_of(tokens, roles=["offline_access"])
    assert refused.value.kind is Kind.FORBIDDEN
    assert lines[-1]["subject"] == "oidc:school:teacher-kim"


async def test_a_subject_can_be_denied_from_one_request_to_the_next(
    documents: Documents, time: Time
) -> None:
    """Also one whose token is remembered; and let in again."""
    denied: set[str] = set()
    tokens = tokens_of(documents, time, denied=lambda subject: subject in denied)
    token = mint()
    assert await flaw_of(tokens, token) is None
    denied.add("oidc:school:teacher-kim")
    assert await flaw_of(tokens, token) == "denied"
    denied.clear()
    assert await flaw_of(tokens, token) is None


async def test_what_is_remembered_is_bounded(documents: Documents, time: Time) -> None:
    """The one used longest ago is forgotten first; forgotten is not refused."""
    tokens = tokens_of(documents, time, most=3)
    texts = [mint(claims(sub=f"user-{number}", exp=int(NOW) + 60)) for number in range(5)]
    for text in (*texts[:3], texts[0], *texts[3:]):
        await tokens.identify(text)
    subjects = [known.identity.subject for known in vars(tokens)["_known"].values()]
    assert subjects == ["oidc:school:user-0", "oidc:school:user-3", "oidc:school:user-4"]
    for text in texts:
        assert await flaw_of(tokens, text) is None


async def test_bad_tokens_are_not_remembered(tokens: Tokens) -> None:
    """Whoever sends many different ones fills nothing."""
    for number in range(20):
        await flaw_of(tokens, mint(claims(aud=str(number))))
    assert len(vars(tokens)["_known"]) == 0
