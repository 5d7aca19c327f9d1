"""How the hub says how it is."""

import pytest
from dirty_equals import IsStr

from doorway import echo_app, furnished, in_process, well
from student_hub.platform.http.health import Health

pytestmark = pytest.mark.requirement("health")


async def ill() -> None:
    raise ConnectionError("password=secret host=db.internal")


@pytest.mark.parametrize(
    ("health", "overall", "status"),
    [
        (Health(well, well, {"q-dna": well}), "healthy", 200),
        (Health(well, well, {"q-dna": well, "gen-node": ill}), "degraded", 200),
        (Health(well, ill, {"q-dna": well}), "degraded", 200),
        (Health(ill, well, {"q-dna": well}), "unhealthy", 503),
        (Health(ill, ill, {"q-dna": ill}), "unhealthy", 503),
    ],
)
async def test_only_a_dead_database_makes_the_hub_unhealthy(
    health: Health, overall: str, status: int
) -> None:
    """Without its cache it is slower, without a node it has gaps: both are degraded."""
    async with in_process(echo_app(furnished(), health), key=None) as client:
        answer = await client.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (status, overall)


async def test_health_says_what_is_down_and_nothing_of_why() -> None:
    """Anybody may read it: names and states only."""
    health = Health(well, ill, {"q-dna": ill, "lab-node": well})
    async with in_process(echo_app(furnished(), health), key=None) as client:
        answer = await client.get("/health")
    assert answer.json() == {
        "status": "degraded",
        "database": "up",
        "redis": "down",
        "nodes": {"q-dna": "down", "lab-node": "up"},
    }


@pytest.mark.parametrize("paths", [["/health"], ["/readyz"], ["/health", "/readyz"]])
async def test_health_is_asked_for_at_most_once_a_second(paths: list[str]) -> None:
    """However many ask at once, and for whichever of the two, each thing is checked once."""
    asked = []

    async def counted() -> None:
        asked.append(1)

    async with in_process(echo_app(furnished(), Health(counted, well, {})), key=None) as client:
        for path in paths * 5:
            await client.get(path)
    assert len(asked) == 1


async def test_liveness_asks_nothing() -> None:
    """A hub whose database is away is alive: restarting it would mend nothing."""
    async with in_process(echo_app(furnished(), Health(ill, ill, {})), key=None) as client:
        assert (await client.get("/livez")).status_code == 200


async def test_a_hub_that_drains_or_has_no_database_is_not_ready() -> None:
    """No request should be sent to it; it still answers those that come."""
    health = Health(well, ill, {"q-dna": ill})
    async with in_process(echo_app(furnished(), health), key=None) as client:
        assert (await client.get("/readyz")).status_code == 200
        health.draining = True
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/livez")).status_code == 200
    async with in_process(echo_app(furnished(), Health(ill, well, {})), key=None) as client:
        assert (await client.get("/readyz")).status_code == 503


@pytest.mark.requirement("metrics")
async def test_metrics_need_a_key() -> None:
    """Figures of use are an operator's business."""
    async with in_process(echo_app(furnished())) as client:
        answer = await client.get("/metrics")
        assert answer.text == IsStr(regex=r"(?s).*# TYPE mcp_calls_total counter.*")
        assert "# TYPE profile_fetch_duration_seconds histogram" in answer.text
    async with in_process(echo_app(furnished()), key=None) as client:
        assert (await client.get("/metrics")).status_code == 401
