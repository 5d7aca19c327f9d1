"""One issuer and its keys, remembered: its provider is asked seldom, and may be away for a day."""

import asyncio

import structlog

from student_hub.access.tokens.errors import DocumentUnusable, Flaw, ProviderAway, TokenRefused
from student_hub.access.tokens.keys import Keys, PublicKey
from student_hub.access.tokens.provider import Provider
from student_hub.platform.cache.flights import Flights
from student_hub.platform.clock import Clock, utc_now

FRESH_S = 600.0
USABLE_S = 86_400.0
ASKED_EVERY_S = 5.0
PATIENCE_S = 1.0
"""How long a request waits for fresh keys when there are older ones."""
log = structlog.get_logger()


class Issuer:
    """Finds keys by id; whoever asks for made-up ones has the provider asked every five seconds."""

    def __init__(self, alias: str, provider: Provider, clock: Clock = utc_now) -> None:
        self.alias = alias
        self._provider = provider
        self._clock = clock
        self._flights = Flights[None]()
        self._keys: Keys | None = None
        self._known_at = self._asked_at = float("-inf")
        self._failing = False

    async def key(self, kid: str, algorithm: str) -> PublicKey:
        """The key of that id for that algorithm.

        Raises TokenRefused when the issuer has none, ProviderAway when nobody can tell.
        """
        found = (await self.keys()).find(kid, algorithm)
        if found is not None:
            return found
        if flight := self._flight():  # signed with a key that is newer than what is known, perhaps
            await asyncio.shield(flight)
            found = (await self.keys()).find(kid, algorithm)
        if found is not None:
            return found
        if self._failing:
            raise self._away()
        raise TokenRefused(Flaw.KEY)

    async def keys(self) -> Keys:
        """The keys: ten minutes old at most, or a day while the provider is away; ProviderAway."""
        keys = self._keys
        if keys is not None and 0 <= self._age() < FRESH_S:
            return keys
        return await self._renewed()

    async def close(self) -> None:
        """Stops asking."""
        await self._flights.close()

    async def _renewed(self) -> Keys:
        flight, known = self._flight(), self._usable()
        if known is None and flight is not None:
            await asyncio.shield(flight)
        elif flight is not None and not self._failing:
            await asyncio.wait({flight}, timeout=PATIENCE_S)
        keys = self._usable()
        if keys is None:
            raise self._away()
        return keys

    def _usable(self) -> Keys | None:
        return self._keys if self._age() < USABLE_S else None

    def _age(self) -> float:
        return self._now() - self._known_at

    def _now(self) -> float:
        return self._clock().timestamp()

    def _flight(self) -> asyncio.Task[None] | None:
        """The asking that is under way, or a new one when the last was not just now."""
        due = not 0 <= self._now() - self._asked_at < ASKED_EVERY_S
        if due or self._flights.in_flight:
            return self._flights.start("keys", self._ask)
        return None

    async def _ask(self) -> None:
        self._asked_at, keys = self._now(), None
        try:
            keys = await self._provider.keys()
        except DocumentUnusable as error:
            log.warning("identity_provider_away", issuer=self.alias, reason=str(error))
        finally:
            self._failing = keys is None
        if keys is not None:
            self._keys, self._known_at = keys, self._now()
            log.info("identity_provider_keys", issuer=self.alias, keys=len(keys))

    def _away(self) -> ProviderAway:
        return ProviderAway(retry_after=int(ASKED_EVERY_S))
