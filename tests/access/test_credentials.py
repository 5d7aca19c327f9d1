"""Which reader a credential is for: the administrator's key, the keys of the hub, or tokens."""

from dataclasses import dataclass, field

import pytest

from access.stage import an_access
from doorway import NOWHERE
from student_hub.access.identity import Identity
from student_hub.access.keys import new_key
from student_hub.access.schemas import NewGrant
from student_hub.access.service import ADMINISTRATOR, Access
from student_hub.platform.db.database import Database
from student_hub.platform.errors import NotAuthenticated
from student_hub.platform.security.caller import INSIDE, Door, Origin, Role, Scope

pytestmark = pytest.mark.requirement("authentication", "roles-and-grants")

SUBJECT = "oidc:school:42"
TOKEN = "header.claims.signature"
DOTTED_KEY = "the.administrator's.key"


@dataclass
class Tokens:
    """Takes one token, and notes all that it was shown."""

    role: Role = Role.TEACHER
    shown: list[str] = field(default_factory=list)

    async def identify(self, token: str) -> Identity:
        self.shown.append(token)
        if token != TOKEN:
            raise NotAuthenticated
        return Identity(SUBJECT, self.role, frozenset({Scope.READ}), "token:1")


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def access(database: Database, tokens: Tokens) -> Access:
    return an_access(database, administrator_key=DOTTED_KEY, tokens=tokens)


async def test_a_tokens_bearer_has_the_reach_that_was_granted_to_its_subject(
    access: Access,
) -> None:
    """Grants go to subjects, however these prove who they are; the origin is handed on."""
    origin = Origin(Door.MCP, "10.0.0.7", "r-1")
    place = {"kind": "school", "school_id": "SCH001", "relation": "head"}
    before = await access.authenticate(TOKEN, origin)
    await access.grants.create(
        ADMINISTRATOR, NewGrant.model_validate({"subject": SUBJECT, **place})
    )
    after = await access.authenticate(TOKEN)
    assert (before.reach, after.reach) == (frozenset(), frozenset({"school:SCH001"}))
    assert (before.subject, before.role, before.credential) == (SUBJECT, Role.TEACHER, "token:1")
    assert (before.origin, after.origin) == (origin, INSIDE)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.SERVICE])
async def test_a_token_of_an_administrator_or_service_reaches_everybody(
    access: Access, tokens: Tokens, role: Role
) -> None:
    """As keys of these roles do."""
    tokens.role = role
    assert (await access.authenticate(TOKEN)).reach is None


@pytest.mark.parametrize("text", [f"{TOKEN}x", "a.b.c", ".."])
async def test_only_what_may_be_a_token_is_read_as_one(
    access: Access, tokens: Tokens, text: str
) -> None:
    """Two dots and no beginning of a key; what the reader refuses is refused."""
    with pytest.raises(NotAuthenticated):
        await access.authenticate(text)
    assert tokens.shown == [text]


async def test_keys_are_shown_to_no_reader_of_tokens(access: Access, tokens: Tokens) -> None:
    """Not even malformed ones, and not the administrator's, whatever dots it has."""
    assert await access.authenticate(DOTTED_KEY) == ADMINISTRATOR
    for text in (new_key().text, "shk_live_a.b.c", "no-dots", "a.b", "a.b.c.d"):
        with pytest.raises(NotAuthenticated):
            await access.authenticate(text)
    assert tokens.shown == []


async def test_without_a_reader_of_tokens_none_is_good() -> None:
    """A hub without an issuer asks nobody about a token."""
    with pytest.raises(NotAuthenticated):
        await an_access(Database(NOWHERE)).authenticate(TOKEN)
