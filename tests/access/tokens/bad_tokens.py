"""Bad tokens by name, each with the flaw that it is refused for: S3 of the proof.

Every one is signed as well as its fault allows: under the issuer's own key wherever that can be.
"""

import base64
import json
from collections.abc import Iterator
from typing import Any

from access.tokens.bad_claims import Bad, audiences, issuers, others, times
from access.tokens.minting import (
    ISSUER,
    NOW,
    SigningKey,
    b64,
    claims,
    hmac_with,
    key,
    mint,
    signed,
)

RSA = key()
EC = key("ES256")
ED = key("EdDSA")
FOREIGN = key("RS256", "foreign")
EVIL = "https://evil.example/keys"


def bad_tokens() -> list[Bad]:
    """All of them; no two have one name."""
    makers = (forms, headers, algorithms, keys, signatures, issuers, times, audiences, others)
    return [bad for make in makers for bad in make()]


def forms() -> Iterator[Bad]:
    good = mint()
    head, body, signature = good.split(".")
    for name, token in {
        "empty": "",
        "one segment": head,
        "two segments": f"{head}.{body}",
        "four segments": f"{good}.{signature}",
        "five segments, as encrypted": f"{head}.{body}.{signature}.{body}.{head}",
        "empty header": f".{body}.{signature}",
        "empty payload, as detached": f"{head}..{signature}",
        "truncated by half": good[: len(good) // 2],
        "padded": f"{head}==.{body}.{signature}",
        "blank inside": f"{head}. {body}.{signature}",
        "line break at the end": f"{good}\n",
        "NUL at the end": f"{good}\0",
        "standard base64 alphabet": f"{head}.{body}.{'+' + signature[1:]}",
        "full-width dot": good.replace(".", "．", 1),
        "Cyrillic letter": f"{head}.{body}.{'а' + signature[1:]}",
        "zero-width space": f"{head}.{body}\u200b.{signature}",
        "JSON serialisation": json.dumps(
            {"protected": head, "payload": body, "signature": signature}
        ),
        "two tokens": f"{good},{good}",
    }.items():
        yield f"form: {name}", token, "form"
    yield "form: other bits at the end", _other_last_bits(good), "form"
    yield "form: oversize", mint(claims(pad="x" * 8_192)), "size"
    yield from _json_forms()


def _json_forms() -> Iterator[Bad]:
    text = json.dumps(claims())
    for name, payload in {
        "claim twice": text[:-1] + ', "aud": "x"}',
        "claim twice, one escaped": text[:-1] + ', "a\\u0075d": "x"}',
        "nested key twice": text[:-1] + ', "realm_access": {"roles": ["admin"], "roles": []}}',
        "NaN": text[:-1] + ', "x": NaN}',
        "Infinity": text.replace(str(int(NOW) + 300), "Infinity"),
        "no end": text[:-1],
        "list": f"[{text}]",
        "text": '"teacher-kim"',
        "null": "null",
        "BOM": f"\ufeff{text}",
        "half a surrogate": text[:-1] + ', "x": "\\ud800"}',
        "something behind": f"{text}{{}}",
        "comment": f"{text}//",
        "too deep": text[:-1] + ', "x": ' + "[" * 70 + "]" * 70 + "}",
    }.items():
        yield f"JSON: {name}", mint(payload), "form"
    header = json.dumps(RSA.header)
    yield "JSON: header key twice", mint(header=header[:-1] + ', "alg": "none"}'), "form"
    yield "JSON: header is a list", mint(header=f"[{header}]"), "form"
    yield "JSON: nested JWT as payload", mint(mint()), "form"
    broken = b64(b'{"iss": "\xff"}')
    raw = f"{b64(header.encode())}.{broken}"
    yield "JSON: not UTF-8", f"{raw}.{b64(RSA.sign(raw.encode()))}", "form"


def headers() -> Iterator[Bad]:
    yours = {**FOREIGN.jwk, "kid": RSA.kid}
    extras: dict[str, dict[str, Any]] = {
        "jku elsewhere": {"jku": EVIL},
        "jku at the issuer": {"jku": f"{ISSUER}/keys"},
        "x5u elsewhere": {"x5u": EVIL},
        "x5c": {"x5c": [base64.b64encode(FOREIGN.pem).decode()]},
        "jwk of the issuer": {"jwk": RSA.jwk},
        "crit unknown": {"crit": ["exp"], "exp": 1},
        "crit empty": {"crit": []},
        "crit b64": {"crit": ["b64"], "b64": True},
        "b64 false": {"b64": False},
        "cty JWT": {"cty": "JWT"},
        "zip": {"zip": "DEF"},
        "enc": {"enc": "A256GCM"},
    }
    for name, extra in extras.items():
        yield f"header: {name}", mint(header={**RSA.header, **extra}), "header"
    embedded = mint(header={**RSA.header, "jwk": yours}, by=FOREIGN)
    yield "header: embedded key that signed it", embedded, "header"
    kinds = (
        "ID",
        "JOSE",
        "logout+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "at+jwt ",
        "ａt+jwt",
        "",
        None,
        1,
    )
    for kind in kinds:
        yield f"header: typ {kind!r}", mint(header={**RSA.header, "typ": kind}), "type"
    untyped = {name: value for name, value in RSA.header.items() if name != "typ"}
    yield "header: no typ", mint(header=untyped), "type"


def algorithms() -> Iterator[Bad]:
    head, body, signature = mint(header={**RSA.header, "alg": "none"}).split(".")
    yield "alg: none without a signature", f"{head}.{body}.", "form"
    yield "alg: none with one", f"{head}.{body}.{signature}", "algorithm"
    names = (
        "None",
        "NONE",
        "nOnE",
        "RS512",
        "RS1",
        "ES256K",
        "rs256",
        "RS256 ",
        "",
        None,
        256,
        ["RS256"],
    )
    for name in names:
        yield f"alg: {name!r}", mint(header={**RSA.header, "alg": name}), "algorithm"
    nameless = {name: value for name, value in RSA.header.items() if name != "alg"}
    yield "alg: missing", mint(header=nameless), "algorithm"
    secrets = {
        "PEM": RSA.pem,
        "JWK": json.dumps(RSA.jwk).encode(),
        "nothing": b"",
        "secret": b"secret",
    }
    for name, secret in secrets.items():
        forged = mint(header={**RSA.header, "alg": "HS256"}, sign=hmac_with(secret))
        yield f"alg: HS256 with the {name}", forged, "algorithm"
    strong = mint(
        header={**RSA.header, "alg": "RS512"}, sign=lambda m: signed("RS512", RSA.private, m)
    )
    yield "alg: RS512, truly signed", strong, "algorithm"


def keys() -> Iterator[Bad]:
    for name, kid in {
        "traversal": "../../dev/null",
        "URL": EVIL,
        "SQL": "one-RS256' OR '1'='1",
        "NUL": f"{RSA.kid}\0",
        "other case": RSA.kid.upper(),
        "unknown": "nobody",
        "of the encryption key": "encryption",
        "of a weak key": "weak",
        "of a private key": "private",
    }.items():
        yield f"kid: {name}", mint(header={**RSA.header, "kid": kid}), "key"
    for name, odd in {
        "empty": "",
        "null": None,
        "number": 1,
        "list": [RSA.kid],
        "long": "k" * 201,
    }.items():
        yield f"kid: {name}", mint(header={**RSA.header, "kid": odd}), "key"
    nameless = {name: value for name, value in RSA.header.items() if name != "kid"}
    yield "kid: missing", mint(header=nameless), "key"
    crossed = mint(header={**EC.header, "kid": RSA.kid}, by=EC)
    yield "kid: of a key for another algorithm", crossed, "key"
    salted = {**RSA.header, "alg": "PS256"}
    other = mint(header=salted, sign=lambda m: signed("PS256", RSA.private, m))
    yield "kid: of a key that is for RS256 only, signed with PS256", other, "key"


def signatures() -> Iterator[Bad]:
    for name, by in (("RSA", RSA), ("EC", EC), ("Ed25519", ED)):
        good = mint(by=by)
        head, body, signature = good.split(".")
        other = mint(claims(sub="teacher-lee"), by=by)
        zeros = b64(bytes(len(by.sign(b""))))
        yield (
            f"signature: {name}, of another token",
            f"{head}.{body}.{other.split('.')[2]}",
            "signature",
        )
        yield f"signature: {name}, zeros", f"{head}.{body}.{zeros}", "signature"
        yield f"signature: {name}, cut", f"{head}.{body}.{signature[:40]}", "signature"
        yield (
            f"signature: {name}, of another key",
            mint(header=by.header, by=_other(by)),
            "signature",
        )
        risen = b64(json.dumps(claims(roles=["admin"])).encode())
        yield f"signature: {name}, payload changed", f"{head}.{risen}.{signature}", "signature"
        spaced = b64(json.dumps(by.header, indent=1).encode())
        yield f"signature: {name}, header written anew", f"{spaced}.{body}.{signature}", "signature"
    der = mint(by=EC, sign=_der)
    yield "signature: EC, as DER", der, "signature"


def _other(by: SigningKey) -> SigningKey:
    return key(by.algorithm, "foreign")


def _other_last_bits(token: str) -> str:
    """The same token to a lax reader: its last letter has bits that mean nothing."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + letters[letters.index(token[-1]) + 1]


def _der(message: bytes) -> bytes:
    both = EC.sign(message)
    r, s = both[:32], both[32:]
    return b"\x30\x44\x02\x20" + r + b"\x02\x20" + s
