"""The hub's verdict against PyJWT's, configured as strictly as it can be: never more lenient."""

import json
import random
from collections.abc import Callable
from typing import Any

import jwt
import pytest
import time_machine

from access.tokens.bad_tokens import bad_tokens
from access.tokens.minting import AUDIENCE, ISSUER, NOW, claims, key, mint
from access.tokens.reader import Documents, Time, flaw_of, tokens_of

pytestmark = pytest.mark.requirement("tokens")

KEYS = {by.kid: by for by in (key("RS256"), key("PS256"), key("ES256"), key("EdDSA"))}
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
REQUIRED = ["exp", "iat", "iss", "aud", "sub"]
ODD: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 2**53, 2**63, 1e300, "", "x", "1772442000", [], {}, [1], ["x"]),
    *(ISSUER, AUDIENCE, [AUDIENCE], [AUDIENCE, "x"], "at+jwt", "JWT", "RS256", "ES256", "none"),
    *(int(NOW), int(NOW) + 100, int(NOW) - 100, NOW + 31, NOW - 31, int(NOW) + 4_000, "Bearer"),
)
NAMES = (*REQUIRED, "nbf", "typ", "cnf", "scope", "nonce", "alg", "kid", "crit", "jwk", "b64", "x")


def oracle_takes(token: str) -> bool:
    """Whether PyJWT does, told all that it can be told of what is wanted."""
    try:
        header = jwt.get_unverified_header(token)
        by = KEYS[header["kid"]]
        jwt.decode(
            token,
            jwt.PyJWK(by.jwk),
            [by.algorithm],
            audience=AUDIENCE,
            issuer=ISSUER,
            leeway=30,
            options={"require": REQUIRED, "verify_signature": True, "verify_sub": True},
        )
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError, OverflowError):
        return False
    return True


def mutated(dice: random.Random) -> str:
    """A good token with one to three things changed, before or after it was signed."""
    by = dice.choice(list(KEYS.values()))
    header, payload = dict(by.header), claims()
    for _ in range(dice.choice((0, 1, 1, 2, 3))):
        part: dict[str, Any] = dice.choice((header, payload, payload))
        name = dice.choice([*sorted(part.keys() - {"roles"}), dice.choice(NAMES)])
        if dice.random() < 0.2:
            part.pop(name, None)
        else:
            part[name] = dice.choice(ODD)
    token = mint(payload, header, by)
    return dice.choice(CHANGES)(token, dice) if dice.random() < 0.4 else token


def _swap(token: str, dice: random.Random) -> str:
    at = dice.randrange(len(token))
    return token[:at] + dice.choice("AZaz09-_.=+/ é") + token[at + 1 :]


def _cut(token: str, dice: random.Random) -> str:
    at = dice.randrange(len(token))
    return token[:at] + token[at + dice.choice((1, 4, 40)) :]


def _double(token: str, dice: random.Random) -> str:
    parts = token.split(".")
    parts.insert(dice.randrange(4), dice.choice(parts))
    return ".".join(parts)


def _shuffle(token: str, dice: random.Random) -> str:
    parts = token.split(".")
    dice.shuffle(parts)
    return ".".join(parts)


CHANGES: tuple[Callable[[str, random.Random], str], ...] = (_swap, _swap, _cut, _double, _shuffle)


@pytest.mark.parametrize("seed", range(8))
async def test_what_the_hub_takes_the_oracle_takes(seed: int) -> None:
    """Of 500 mutations a seed; some of them stay good, or the test would show nothing."""
    dice = random.Random(seed)  # noqa: S311 (hides nothing)
    tokens = tokens_of(Documents(*KEYS.values()), Time())
    taken = both = 0
    with time_machine.travel(NOW, tick=False):
        for _ in range(500):
            token = mutated(dice)
            good, agrees = await flaw_of(tokens, token) is None, oracle_takes(token)
            assert agrees or not good, json.dumps(token)
            taken += good
            both += agrees
    assert 50 < taken <= both < 400


async def test_what_the_oracle_takes_of_the_bad_ones_is_what_it_does_not_look_at() -> None:
    """The hub alone sees to these; of all else that is bad, PyJWT says the same."""
    lenient = set()
    with time_machine.travel(NOW, tick=False):
        for name, token, _ in bad_tokens():
            if oracle_takes(token):
                lenient.add(name.split(":")[0])
    assert lenient == BEYOND_THE_ORACLE


BEYOND_THE_ORACLE = {"JSON", "form", "header", "kind", "scope", "sub", "time"}
"""Double keys, size, typ and embedded keys, ID tokens, odd subjects, and lives of over an hour."""
