"""No bad token is taken, whatever is wrong with it; good ones of every form are."""

from typing import Any

import jwt
import pytest
from structlog.testing import capture_logs

from access.tokens.bad_tokens import ED, FOREIGN, RSA, bad_tokens
from access.tokens.minting import AUDIENCE, NOW, SigningKey, claims, key, mint, signed
from access.tokens.reader import Documents, Time, flaw_of, tokens_of
from student_hub.access.tokens.errors import Flaw
from student_hub.access.tokens.service import Tokens
from student_hub.platform.errors import NotAuthenticated

pytestmark = pytest.mark.requirement("tokens")

BAD = bad_tokens()
GOOD_KEYS = tuple(key(algorithm) for algorithm in ("RS256", "PS256", "ES256", "EdDSA"))
FREE = {name: value for name, value in {**key("RS256", "free").jwk}.items() if name != "alg"}


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def documents() -> Documents:
    """All good keys, and beside them some that are not for access tokens."""
    documents = Documents(*GOOD_KEYS)
    weak = {**RSA.jwk, "kid": "weak", "n": RSA.jwk["n"][:170]}
    private = {**key("RS256", "leaked").jwk, "kid": "private", "d": "AQAB"}
    encryption = {**RSA.jwk, "kid": "encryption", "use": "enc"}
    documents.published += [
        weak,
        private,
        encryption,
        FREE,
        {"kty": "oct", "kid": "x", "k": "AAAA"},
    ]
    return documents


@pytest.fixture
def tokens(documents: Documents, time: Time) -> Tokens:
    return tokens_of(documents, time)


@pytest.mark.parametrize(("token", "flaw"), [bad[1:] for bad in BAD], ids=[bad[0] for bad in BAD])
async def test_a_bad_token_is_refused(tokens: Tokens, token: str, flaw: str) -> None:
    """For its own flaw, alone and again after a good one of the same key was taken."""
    assert await flaw_of(tokens, token) == flaw
    assert await flaw_of(tokens, mint()) is None
    assert await flaw_of(tokens, token) == flaw


def test_there_are_enough_of_them() -> None:
    """No two alike, and every flaw that the room knows is among them, but for a denied subject."""
    assert len(BAD) == len({name for name, _, _ in BAD}) > 200
    assert len({token for _, token, _ in BAD}) > 190
    assert {flaw for _, _, flaw in BAD} == set(Flaw) - {Flaw.DENIED}


@pytest.mark.parametrize("by", GOOD_KEYS, ids=lambda by: by.algorithm)
async def test_a_good_token_of_each_algorithm_is_taken(tokens: Tokens, by: SigningKey) -> None:
    """Also a second time, when it is remembered."""
    for _ in range(2):
        identity = await tokens.identify(mint(by=by))
        assert identity.subject == "oidc:school:teacher-kim"


async def test_a_key_without_an_algorithm_serves_those_of_its_type(tokens: Tokens) -> None:
    """RS256 and PS256 for RSA, as RFC 7517 leaves it open."""
    free = key("RS256", "free")
    assert await flaw_of(tokens, mint(by=free)) is None
    salted = {**free.header, "alg": "PS256"}
    token = mint(header=salted, sign=lambda message: signed("PS256", free.private, message))
    assert await flaw_of(tokens, token) is None


async def test_both_names_of_ed25519_are_taken(tokens: Tokens) -> None:
    """EdDSA, and Ed25519 as RFC 9864 calls it."""
    for name in ("EdDSA", "Ed25519"):
        assert await flaw_of(tokens, mint(header={**ED.header, "alg": name}, by=ED)) is None


GOOD: dict[str, dict[str, Any]] = {
    "audience in a list": {"aud": ["account", AUDIENCE]},
    "typ Bearer, as Keycloak says it": {"typ": "Bearer"},
    "just not expired": {"iat": int(NOW) - 300, "exp": int(NOW) - 29},
    "just not too early": {"iat": int(NOW) + 30, "nbf": int(NOW) + 30},
    "fractions of seconds": {"iat": NOW + 0.5, "exp": NOW + 60.25},
    "an hour, exactly": {"exp": int(NOW) + 3_600},
    "nonce in what says that it is for access": {"nonce": "x"},
    "no scope": {"scope": ...},
    "empty scope": {"scope": ""},
    "unknown claims": {"https://example.org/x": {"y": [1, None]}, "email": "kim@example.org"},
}


@pytest.mark.parametrize("changes", GOOD.values(), ids=GOOD)
async def test_what_may_differ_differs(tokens: Tokens, changes: dict[str, Any]) -> None:
    """Strictness refuses no good token."""
    payload = claims()
    payload = {name: value for name, value in {**payload, **changes}.items() if value is not ...}
    assert await flaw_of(tokens, mint(payload)) is None


@pytest.mark.parametrize("kind", ["at+jwt", "AT+JWT", "application/at+jwt", "JWT", "jwt"])
async def test_a_media_type_is_one_in_any_case(tokens: Tokens, kind: str) -> None:
    """RFC 7515, 4.1.9 and RFC 9068, 4."""
    assert await flaw_of(tokens, mint(header={**RSA.header, "typ": kind})) is None


async def test_a_token_is_good_to_its_end_and_no_longer(tokens: Tokens, time: Time) -> None:
    """Being remembered does not prolong its life."""
    token = mint()
    assert await flaw_of(tokens, token) is None
    time.now = NOW + 300 + 29
    assert await flaw_of(tokens, token) is None
    time.now = NOW + 300 + 30
    assert await flaw_of(tokens, token) == "expired"


async def test_a_bad_twin_of_a_remembered_token_is_refused(tokens: Tokens) -> None:
    """What is remembered is the whole text, signature included."""
    good = mint()
    await tokens.identify(good)
    head, body, _ = good.split(".")
    forged = mint(header=RSA.header, by=FOREIGN).split(".")[2]
    assert await flaw_of(tokens, f"{head}.{body}.{forged}") == "signature"


async def test_refusals_name_nothing_of_the_token(documents: Documents, time: Time) -> None:
    """Neither the log nor the error holds a token or a claim of one."""
    tokens = tokens_of(documents, time)
    with capture_logs() as lines:
        for _, token, _ in BAD:
            with pytest.raises(NotAuthenticated) as refused:
                await tokens.identify(token)
            assert refused.value.facts == {}
        await tokens.identify(mint())
    text = str(lines)
    assert len(lines) > len(BAD)
    for _, token, _ in [*BAD, ("", mint(), "")]:
        parts = [part for part in token.split(".") if len(part) > 40]
        assert not any(part in text for part in parts)
    assert "teacher-kim" not in text


async def test_an_operator_is_told_once_how_to_mend_the_audience(
    documents: Documents, time: Time
) -> None:
    """A stock Keycloak says `account` or nothing: the log says what it must say instead."""
    tokens = tokens_of(documents, time)
    stock = mint(claims(aud="account", azp="school-app", client_id=...))
    with capture_logs() as lines:
        for _ in range(3):
            assert await flaw_of(tokens, stock) == "audience"
    hints = [line for line in lines if line["event"] == "token_for_another_audience"]
    assert len(hints) == 1
    assert (hints[0]["aud"], hints[0]["wanted"]) == (["account"], [AUDIENCE])
    assert "mapper" in hints[0]["hint"]
    time.now += 61
    with capture_logs() as later:
        await flaw_of(tokens, stock)
    assert "token_for_another_audience" in [line["event"] for line in later]


async def test_a_forged_audience_brings_no_hint(tokens: Tokens) -> None:
    """Only what the issuer signed is repeated to the operator."""
    with capture_logs() as lines:
        await flaw_of(tokens, mint(claims(aud="x"), header=RSA.header, by=FOREIGN))
    assert [line["event"] for line in lines if line["event"].endswith("audience")] == []


def test_the_oracle_takes_the_good_token() -> None:
    """What is minted here is a JWT to others too."""
    said = jwt.decode(mint(), RSA.pem, ["RS256"], audience=AUDIENCE, options={"verify_exp": False})
    assert said["sub"] == "teacher-kim"
