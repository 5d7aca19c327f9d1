"""What every answer has."""

import pytest
from structlog.testing import capture_logs

from doorway import KNOWN, Running, echo_app, furnished, in_process

pytestmark = pytest.mark.requirement("logs-without-persons", "metrics")

SAFE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


@pytest.mark.parametrize("path", ["/livez", "/nowhere", "/v1/echo/x", "/mcp"])
async def test_every_answer_has_an_id_and_the_headers_that_keep_browsers_in_check(
    hub: Running, path: str
) -> None:
    """Refusals too: headers are set at the edge, not by routes."""
    async with hub.client() as client:
        answer = await client.get(path)
    assert {name: answer.headers[name] for name in SAFE} == SAFE
    assert len(answer.headers["x-request-id"]) == 32


@pytest.mark.parametrize(
    ("sent", "kept"), [("abc-123.X_9", True), ("a b", False), ("x" * 65, False), ("<b>", False)]
)
async def test_a_sane_request_id_is_kept_and_any_other_is_replaced(
    hub: Running, sent: str, kept: bool
) -> None:
    """A caller can follow a request by an id of their own, but cannot write into the log."""
    async with hub.client() as client:
        answer = await client.get("/livez", headers={"X-Request-ID": sent})
    assert (answer.headers["x-request-id"] == sent) is kept


async def test_blanks_behind_a_header_value_do_not_count() -> None:
    """A key with a trailing blank is that key, whatever the server passes on (RFC 9110, 5.5)."""
    async with in_process(echo_app(furnished()), key="the-administrator's-key \t") as client:
        assert (await client.get("/metrics")).status_code == 200


async def test_a_request_is_one_line_of_the_log_without_its_path_and_query() -> None:
    """What somebody pasted may be a name or a key: the route is noted, and ids that are ids."""
    async with in_process(echo_app(furnished())) as client:
        with capture_logs() as lines:
            await client.get("/v1/echo/김철수?name=김철수")
            await client.get(f"/v1/echo/{KNOWN}")
    pasted, known = [line for line in lines if line["event"] == "http_request"]
    assert pasted["status"] == 422
    assert pasted["route"] == "/v1/echo/{student_id}"
    assert pasted["caller"] == "key:administrator"
    assert known["student_id"] == str(KNOWN)
    assert "김철수" not in str(lines)


async def test_requests_are_counted_by_route_not_by_path() -> None:
    """However many students are asked for, there is one series; unknown paths share one too."""
    async with in_process(echo_app(furnished())) as client:
        for number in range(3):
            await client.get(f"/v1/echo/{number}")
            await client.get(f"/nowhere/{number}")
        text = (await client.get("/metrics")).text
    series = [line for line in text.splitlines() if line.startswith("http_requests_total")]
    assert series == [
        'http_requests_total{method="GET",route="/v1/echo/{student_id}",status="422"} 3.0',
        'http_requests_total{method="GET",route="unknown",status="404"} 3.0',
    ]
