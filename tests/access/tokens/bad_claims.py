"""Bad tokens that are signed as well as can be, but claim what they may not."""

from collections.abc import Iterator
from typing import Any

from access.tokens.minting import AUDIENCE, ISSUER, NOW, claims, key, mint

Bad = tuple[str, str, str]
"""Its name, the token, the flaw that it is refused for."""


def issuers() -> Iterator[Bad]:
    for name, issuer in {
        "other": "https://evil.example/realms/school",
        "slash at the end": f"{ISSUER}/",
        "other case": ISSUER.upper(),
        "other scheme": ISSUER.replace("https", "http"),
        "prefix": ISSUER[:-1],
        "longer": f"{ISSUER}.evil.example",
        "port": ISSUER.replace(".org", ".org:443"),
        "user part": ISSUER.replace("https://", "https://evil@"),
        "look-alike letter": ISSUER.replace("e", "е", 1),
        "list": [ISSUER],
        "null": None,
        "empty": "",
        "object": {"iss": ISSUER},
    }.items():
        yield f"iss: {name}", mint(claims(iss=issuer)), "issuer"
    yield "iss: missing", mint(claims(iss=...)), "issuer"


def times() -> Iterator[Bad]:
    now = int(NOW)
    yield "time: expired", mint(claims(iat=now - 600, exp=now - 31)), "expired"
    yield (
        "time: expired this moment, leeway over",
        mint(claims(iat=now - 60, exp=now - 30)),
        "expired",
    )
    yield "time: expired years ago", mint(claims(iat=0, exp=300)), "expired"
    yield "time: from the future", mint(claims(iat=now + 31, exp=now + 300)), "not_yet"
    yield "time: not before later", mint(claims(nbf=now + 31)), "not_yet"
    yield "time: lives too long", mint(claims(exp=now + 3_601)), "lifetime"
    yield "time: lives for ever", mint(claims(exp=2**52)), "lifetime"
    yield "time: lived too long already", mint(claims(iat=now - 3_601, exp=now + 60)), "lifetime"
    yield "time: ends before it begins", mint(claims(iat=now + 20, exp=now - 5)), "lifetime"
    odd: tuple[Any, ...] = (str(now), True, None, [now], {}, -now, 2**53, 1e300, "", "NaN")
    for name in ("exp", "iat", "nbf"):
        for value in odd:
            yield f"time: {name} is {value!r}", mint({**claims(), name: value}), "claim"
    yield "time: no exp", mint(claims(exp=...)), "claim"
    yield "time: no iat", mint(claims(iat=...)), "claim"


def audiences() -> Iterator[Bad]:
    for name, audience in {
        "missing, as of a stock Keycloak": ...,
        "account": "account",
        "another API": "https://reports.example.org",
        "list without ours": ["account", "https://reports.example.org"],
        "empty list": [],
        "empty": "",
        "prefix": AUDIENCE[:-1],
        "longer": f"{AUDIENCE}.evil.example",
        "other case": AUDIENCE.upper(),
        "blank at the end": f"{AUDIENCE} ",
        "several in one text": f"account {AUDIENCE}",
    }.items():
        yield f"aud: {name}", mint(claims(aud=audience)), "audience"
    odd: dict[str, Any] = {
        "null": None,
        "object": {AUDIENCE: 1},
        "number": 1,
        "list with a null": [AUDIENCE, None],
        "list of lists": [[AUDIENCE]],
    }
    for name, value in odd.items():
        yield f"aud: {name}", mint(claims(aud=value)), "claim"


def others() -> Iterator[Bad]:
    jwt = {**key().header, "typ": "JWT"}
    for kind in ("ID", "Refresh", "Offline", "Logout", "DPoP", "bearer", None, 1):
        yield f"kind: typ {kind!r} among the claims", mint(claims(typ=kind)), "not_access"
    for mark in ("nonce", "at_hash", "c_hash", "s_hash", "events"):
        yield f"kind: {mark}, as of an ID token", mint({**claims(), mark: "x"}, jwt), "not_access"
    bare = {name: v for name, v in claims().items() if name not in {"scope", "client_id"}}
    yield "kind: JWT without any mark of an access token", mint(bare, jwt), "not_access"
    yield "kind: bound to a key", mint(claims(cnf={"jkt": "x"})), "bound"
    for name, subject in {
        "missing": ...,
        "empty": "",
        "null": None,
        "number": 7,
        "list": ["teacher-kim"],
        "long": "s" * 256,
        "Korean": "김철수",
        "line break": "a\nb",
        "blank first": " a",
        "zero-width": "a\u200bb",
    }.items():
        yield f"sub: {name}", mint(claims(sub=subject)), "claim"
    scopes: dict[str, Any] = {"list": ["hub:read"], "object": {}, "null": None, "number": 1}
    for name, scope in scopes.items():
        yield f"scope: {name}", mint(claims(scope=scope)), "claim"
    names: tuple[Any, ...] = (None, 1, [])
    for name in names:
        yield f"jti: {name!r}", mint(claims(jti=name)), "claim"
