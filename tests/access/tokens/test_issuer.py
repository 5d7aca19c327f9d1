"""An issuer's keys: fetched seldom, rotated at once, and good for a day without their provider."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from structlog.testing import capture_logs

from access.tokens.minting import ISSUER, NOW, SigningKey, claims, key, mint
from access.tokens.reader import KEYS_URL, Documents, Time, flaw_of, issuer_of, tokens_of
from student_hub.access.tokens.errors import Flaw, ProviderAway, TokenRefused
from student_hub.access.tokens.issuer import Issuer
from student_hub.access.tokens.provider import Provider
from student_hub.access.tokens.service import Tokens
from student_hub.platform.errors import Kind

pytestmark = pytest.mark.requirement("token-keys")

OLD, NEW = key("RS256", "old"), key("ES256", "new")
HOUR_S = 3_600


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def documents() -> Documents:
    return Documents(OLD)


@pytest.fixture
def tokens(documents: Documents, time: Time) -> Tokens:
    return tokens_of(documents, time)


def token(time: Time, by: SigningKey = OLD) -> str:
    """A token that is good at the time's now."""
    return mint(claims(time.now), by=by)


async def test_keys_are_fetched_once_for_ten_minutes(
    tokens: Tokens, documents: Documents, time: Time
) -> None:
    """Nothing before the first token, then one fetch each ten minutes, however many there are."""
    assert documents.asked == []
    for passed in (0, 1, 300, 599):
        time.now = NOW + passed
        assert await flaw_of(tokens, token(time)) is None
    assert documents.keys_asked == 1
    time.now = NOW + 600
    assert await flaw_of(tokens, token(time)) is None
    assert documents.keys_asked == 2


async def test_a_new_key_is_taken_within_one_fetch(
    tokens: Tokens, documents: Documents, time: Time
) -> None:
    """Rotation at the provider refuses no good token: its unknown id brings the new keys."""
    assert await flaw_of(tokens, token(time)) is None
    documents.published.append(NEW.jwk)
    time.now += 5
    assert await flaw_of(tokens, token(time, NEW)) is None
    assert await flaw_of(tokens, token(time)) is None
    assert documents.keys_asked == 2


async def test_a_key_that_is_gone_is_refused_with_all_it_signed(
    tokens: Tokens, documents: Documents, time: Time
) -> None:
    """Once the keys are fetched anew; tokens that were remembered are refused too."""
    remembered = token(time)
    assert await flaw_of(tokens, remembered) is None
    documents.published = [NEW.jwk]
    time.now += 599
    time_left = mint(claims(time.now), by=OLD)
    assert await flaw_of(tokens, time_left) is None
    time.now += 1
    assert await flaw_of(tokens, time_left) == "key"
    assert await flaw_of(tokens, token(time)) == "key"
    assert await flaw_of(tokens, token(time, NEW)) is None


async def test_another_key_under_a_known_id_ends_what_the_first_one_signed(
    tokens: Tokens, documents: Documents, time: Time
) -> None:
    """A remembered token belongs to its key, not to the id of it."""
    remembered = mint(claims(exp=int(NOW) + 3_000), by=OLD)
    assert await flaw_of(tokens, remembered) is None
    documents.published = [{**key("RS256", "other").jwk, "kid": OLD.kid}]
    time.now += 600
    assert await flaw_of(tokens, remembered) == "signature"


async def test_made_up_ids_cause_no_flood_of_fetches(
    tokens: Tokens, documents: Documents, time: Time
) -> None:
    """1,000 of them in ten seconds: the provider is asked each five seconds, and no more."""
    await flaw_of(tokens, token(time))
    for number in range(1_000):
        time.now = NOW + number / 100
        made_up = mint(header={**OLD.header, "kid": f"made-up-{number}"})
        assert await flaw_of(tokens, made_up) == "key"
    assert documents.keys_asked == 2
    assert await flaw_of(tokens, token(time)) is None


async def test_whoever_needs_keys_at_the_same_time_shares_one_fetch(
    documents: Documents, time: Time
) -> None:
    """Single flight: 50 first tokens at once ask the provider once."""
    provided, began = asyncio.Event(), asyncio.Event()
    issuer = Issuer("school", Provider(ISSUER, fetch=gated(documents, provided, began)), time)
    tokens = tokens_of(documents, time, issuer=issuer)
    asking = [asyncio.create_task(flaw_of(tokens, token(time))) for _ in range(50)]
    await began.wait()
    provided.set()
    assert await asyncio.gather(*asking) == [None] * 50
    assert documents.keys_asked == 1


async def test_a_caller_who_goes_away_does_not_end_the_fetch_of_the_others(
    documents: Documents, time: Time
) -> None:
    """The flight belongs to nobody."""
    provided, began = asyncio.Event(), asyncio.Event()
    issuer = Issuer("school", Provider(ISSUER, fetch=gated(documents, provided, began)), time)
    first = asyncio.create_task(issuer.keys())
    second = asyncio.create_task(issuer.keys())
    await began.wait()
    first.cancel()
    provided.set()
    assert len(await second) == 1


async def test_a_provider_that_is_down_refuses_no_good_token(
    tokens: Tokens, documents: Documents, time: Time
) -> None:
    """For a day after its last answer, with tokens old and new; it is asked seldom."""
    assert await flaw_of(tokens, token(time)) is None
    documents.away = True
    asked = 0
    for passed in range(0, 24 * HOUR_S, 97):
        time.now = NOW + passed
        assert await flaw_of(tokens, token(time)) is None
        asked += 1
    assert asked > 800
    documents.away = False
    time.now = NOW + 24 * HOUR_S
    assert await flaw_of(tokens, token(time)) is None


async def test_after_a_day_nobody_can_tell(
    tokens: Tokens, documents: Documents, time: Time
) -> None:
    """Keys of yesterday are not trusted: away, with a time to come back, and mended by itself."""
    remembered = mint(claims(NOW, exp=int(NOW) + HOUR_S))
    await flaw_of(tokens, token(time))
    documents.away = True
    time.now = NOW + 24 * HOUR_S
    for good_or_not in (token(time), remembered):
        with pytest.raises(ProviderAway):
            await tokens.identify(good_or_not)
    documents.away = False
    time.now += 5
    assert await flaw_of(tokens, token(time)) is None


async def test_without_any_keys_a_token_is_for_later(
    tokens: Tokens, documents: Documents, time: Time
) -> None:
    """Not a refusal, which would make clients throw a good token away; one attempt in 5 s."""
    documents.away = True
    for _ in range(20):
        with pytest.raises(ProviderAway) as away:
            await tokens.identify(token(time))
        assert (away.value.kind, away.value.facts) == (Kind.AWAY, {"retry_after": 5})
    assert len(documents.asked) == 1
    documents.away = False
    time.now += 5
    assert await flaw_of(tokens, token(time)) is None


async def test_an_unknown_key_of_a_provider_that_is_down_is_for_later(
    tokens: Tokens, documents: Documents, time: Time
) -> None:
    """It may be new: nobody can tell before the provider is back."""
    await flaw_of(tokens, token(time))
    documents.away = True
    time.now += 5
    with pytest.raises(ProviderAway):
        await tokens.identify(token(time, NEW))
    assert await flaw_of(tokens, token(time)) is None


async def test_requests_do_not_wait_for_a_provider_that_is_known_to_be_down(
    documents: Documents, time: Time
) -> None:
    """They are answered from the keys that are there while it is asked again."""
    provided, began = asyncio.Event(), asyncio.Event()
    fetch = gated(documents, provided, began)
    issuer = Issuer("school", Provider(ISSUER, fetch=fetch), time)
    provided.set()
    await issuer.keys()
    documents.away, time.now = True, NOW + 600
    await issuer.keys()
    provided.clear()
    time.now += 5
    async with asyncio.timeout(0.9):  # sooner than the patience with one that was well
        assert len(await issuer.keys()) == 1
    provided.set()
    await issuer.close()


async def test_a_clock_that_is_set_back_asks_anew(documents: Documents, time: Time) -> None:
    """Keys are not fresh because they come from the future."""
    issuer = issuer_of(documents, time)
    await issuer.keys()
    time.now -= HOUR_S
    await issuer.keys()
    assert documents.keys_asked == 2


async def test_an_empty_set_of_keys_ends_all_tokens(
    tokens: Tokens, documents: Documents, time: Time
) -> None:
    """What the provider publishes counts, also when it is nothing."""
    assert await flaw_of(tokens, token(time)) is None
    documents.published = []
    time.now += 600
    assert await flaw_of(tokens, token(time)) == "key"


async def test_of_two_keys_with_one_name_neither_is_taken(
    tokens: Tokens, documents: Documents, time: Time
) -> None:
    """Nobody can tell which is meant; the log names the id."""
    documents.published = [OLD.jwk, {**key("RS256", "other").jwk, "kid": OLD.kid}, NEW.jwk]
    with capture_logs() as lines:
        assert await flaw_of(tokens, token(time)) == "key"
        assert await flaw_of(tokens, token(time, NEW)) is None
    assert [line["kids"] for line in lines if line["event"] == "keys_of_one_id"] == [[OLD.kid]]


async def test_an_address_of_keys_that_moved_is_found_again(
    documents: Documents, time: Time
) -> None:
    """After a failure its metadata is read anew."""
    issuer = issuer_of(documents, time)
    await issuer.keys()
    assert [url == KEYS_URL for url in documents.asked] == [False, True]
    time.now += 600
    await issuer.keys()
    assert [url == KEYS_URL for url in documents.asked] == [False, True, True]
    documents.away, time.now = True, time.now + 600
    await issuer.keys()
    documents.away, time.now = False, time.now + 5
    documents.asked.clear()
    with pytest.raises(TokenRefused):
        await issuer.key(NEW.kid, "ES256")
    assert [url == KEYS_URL for url in documents.asked] == [False, True]


async def test_a_key_is_for_its_own_algorithm_alone(documents: Documents, time: Time) -> None:
    """To find it needs its id and its algorithm."""
    issuer = issuer_of(documents, time)
    assert (await issuer.key(OLD.kid, "RS256")).name == (OLD.kid, "RS256")
    with pytest.raises(TokenRefused) as refused:
        await issuer.key(OLD.kid, "PS256")
    assert refused.value.flaw is Flaw.KEY


def gated(
    documents: Documents, provided: asyncio.Event, began: asyncio.Event
) -> Callable[[str], Awaitable[bytes]]:
    """Fetches once it may."""

    async def fetch(url: str) -> bytes:
        began.set()
        await provided.wait()
        return await documents.fetch(url)

    return fetch
