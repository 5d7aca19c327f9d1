"""Who brings a token: the one question that this room answers."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from hashlib import sha256

import structlog

from student_hub.access.identity import Identity
from student_hub.access.tokens.claims import Held, audiences_of, check
from student_hub.access.tokens.errors import Flaw, NoRole, TokenRefused
from student_hub.access.tokens.issuer import Issuer
from student_hub.access.tokens.keys import PublicKey
from student_hub.access.tokens.reading import Claims, Unproven, read_token
from student_hub.access.tokens.roles import Roles, scopes_in
from student_hub.access.tokens.signatures import prove
from student_hub.platform.clock import Clock, utc_now
from student_hub.platform.errors import NotAuthenticated
from student_hub.platform.http.challenges import Ceiling

MOST = 20_000
SHOWN = 5
LONGEST_SHOWN = 100
HINT_EVERY_S = 60.0
log = structlog.get_logger()


def nobody(_subject: str) -> bool:
    """Denies no subject."""
    return False


@dataclass(frozen=True, slots=True)
class _Known:
    """A token that was good, and what must still hold for it to be."""

    identity: Identity
    good_until: float
    issuer: Issuer
    key: PublicKey


class Tokens:
    """Identifies tokens; one that was good is remembered, by a hash, until it expires.

    A remembered token is refused as soon as its key is gone from its issuer or its subject is
    denied. `denied` is asked on every request: it must be fast.
    """

    def __init__(
        self,
        issuers: dict[str, Issuer],
        *,
        audiences: Collection[str],
        roles: Roles,
        ceiling: Ceiling,
        clock: Clock = utc_now,
        denied: Callable[[str], bool] = nobody,
        most: int = MOST,
    ) -> None:
        self._issuers = issuers
        self._audiences = frozenset(audiences)
        self._roles = roles
        self._ceiling = ceiling
        self._clock = clock
        self._denied = denied
        self._most = most
        self._known = OrderedDict[bytes, _Known]()
        self._hinted_at = float("-inf")

    async def identify(self, token: str) -> Identity:
        """Whose token that is.

        Raises NotAuthenticated for one that is not good now, NoRole for a good one without a role,
        ProviderAway when the keys to tell are not to be had.
        """
        digest = sha256(token.encode(errors="replace")).digest()
        try:
            identity = await self._identified(token, digest)
            self._require_not_denied(identity.subject)
        except TokenRefused as refused:
            self._known.pop(digest, None)
            log.info("token_refused", reason=refused.flaw.value)
            raise NotAuthenticated from refused
        return identity

    async def close(self) -> None:
        """Stops asking the identity providers."""
        for issuer in self._issuers.values():
            await issuer.close()

    async def _identified(self, token: str, digest: bytes) -> Identity:
        known = self._known.get(digest)
        if known is not None and await self._is_still_good(known):
            self._known.move_to_end(digest)
            return known.identity
        known = await self._verified(token)
        self._remember(digest, known)
        return known.identity

    async def _is_still_good(self, known: _Known) -> bool:
        keys = await known.issuer.keys()
        return self._now() < known.good_until and keys.has(known.key)

    async def _verified(self, text: str) -> _Known:
        token = read_token(text)
        issuer = self._issuers.get(token.issuer)
        if issuer is None:
            raise TokenRefused(Flaw.ISSUER)
        key = await issuer.key(token.kid, token.algorithm)
        prove(token, key)
        held = self._held(token, issuer)
        return _Known(self._identity(held, issuer), held.good_until, issuer, key)

    def _held(self, token: Unproven, issuer: Issuer) -> Held:
        try:
            return check(token, self._audiences, self._now())
        except TokenRefused as refused:
            if refused.flaw is Flaw.AUDIENCE:
                self._hint(token.claims, issuer)
            raise

    def _identity(self, held: Held, issuer: Issuer) -> Identity:
        role = self._roles.of(held.claims)
        subject = f"oidc:{issuer.alias}:{held.subject}"
        if role is None:
            log.info("token_without_role", subject=subject)
            raise NoRole
        scopes = scopes_in(held.scopes, self._ceiling(role))
        return Identity(subject, role, scopes, credential=f"{subject}@{held.client}")

    def _require_not_denied(self, subject: str) -> None:
        if self._denied(subject):
            raise TokenRefused(Flaw.DENIED)

    def _hint(self, claims: Claims, issuer: Issuer) -> None:
        """Tells the operator, once a minute, what no client is told: how to mend it."""
        if self._now() - self._hinted_at < HINT_EVERY_S:
            return
        self._hinted_at = self._now()
        log.warning(
            "token_for_another_audience",
            issuer=issuer.alias,
            aud=_shown(audiences_of(claims)),
            wanted=sorted(self._audiences),
            hint="The issuer must put one of `wanted` into `aud`; Keycloak needs an audience "
            "mapper for that (docs/keycloak.md).",
        )

    def _remember(self, digest: bytes, known: _Known) -> None:
        self._known[digest] = known
        if len(self._known) > self._most:
            self._known.popitem(last=False)

    def _now(self) -> float:
        return self._clock().timestamp()


def _shown(names: Iterable[str]) -> list[str]:
    return [name[:LONGEST_SHOWN] for name in names][:SHOWN]
