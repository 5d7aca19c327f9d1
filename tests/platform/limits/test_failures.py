"""Wrong keys from one address."""

import pytest

from doorway import ADMINISTRATOR_KEY, KNOWN, echo_app, furnished, in_process
from student_hub.platform.limits.failures import PER_MINUTE, Failures, TooManyFailures

pytestmark = pytest.mark.requirement("rate-limit", "authentication")


def test_after_so_many_refusals_no_other_key_is_looked_at() -> None:
    """From that address; others are not touched."""
    failures = Failures(3)
    for _ in range(3):
        failures.check("1.2.3.4", "wrong")
        failures.refused("1.2.3.4")
    with pytest.raises(TooManyFailures) as caught:
        failures.check("1.2.3.4", "another")
    assert caught.value.facts == {"retry_after": 20}
    failures.check("1.2.3.5", "another")


def test_a_key_that_was_good_is_looked_at_whatever_its_neighbours_send() -> None:
    """A school sits behind one address: one broken client must not shut it out."""
    failures = Failures(1)
    failures.accepted("good")
    failures.refused("1.2.3.4")
    failures.check("1.2.3.4", "good")
    with pytest.raises(TooManyFailures):
        failures.check("1.2.3.4", "unknown")


def wrong(number: int) -> dict[str, str]:
    return {"X-API-Key": f"wrong {number}"}


@pytest.mark.parametrize("path", [f"/v1/echo/{KNOWN}", "/rpc", "/mcp"])
async def test_wrong_keys_are_refused_with_429_in_the_end(path: str) -> None:
    """In the door's own form, with Retry-After; requests without a key are told what is missing."""
    app = echo_app(furnished(), failures=Failures())
    async with in_process(app, key=None) as client:
        good = {"X-API-Key": ADMINISTRATOR_KEY}
        assert (await client.get(f"/v1/echo/{KNOWN}", headers=good)).status_code == 200
        sent = 0
        while (answer := await client.post(path, headers=wrong(sent))).status_code == 401:
            sent += 1
        assert PER_MINUTE <= sent <= 2 * PER_MINUTE
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "1"
        assert answer.json().get("error", answer.json())["code"] == -32004
        assert (await client.post(path)).status_code == 401
        assert (await client.get(f"/v1/echo/{KNOWN}", headers=good)).status_code == 200
