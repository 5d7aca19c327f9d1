"""The page that shows the interface, and what the hub's answers let a browser do."""

import re

import httpx2
import pytest

from doorway import echo_app, furnished, in_process

pytestmark = pytest.mark.requirement("docs-page")


async def asked(path: str, **headers: str) -> httpx2.Response:
    async with in_process(echo_app(furnished()), key=None) as client:
        return await client.get(path, headers=headers)


async def test_a_browser_runs_no_script_of_the_page_that_was_not_looked_at() -> None:
    """What comes from elsewhere has a fixed version and a digest; the policy allows no more."""
    page = await asked("/docs")
    foreign = re.findall(r'<(?:script|link)[^>]*"(https?:[^"]+)"([^>]*)>', page.text)
    assert len(foreign) == 2
    for url, rest in foreign:
        assert re.search(r"@\d+\.\d+\.\d+/", url), url
        assert re.search(r'integrity="sha384-[A-Za-z0-9+/]{64}"', rest), url
    policy = dict(
        part.split(" ", 1) for part in page.headers["content-security-policy"].split("; ")
    )
    assert (policy["default-src"], policy["connect-src"]) == ("'none'", "'self'")
    assert "unsafe" not in policy["script-src"]


async def test_every_other_answer_may_load_and_run_nothing() -> None:
    """Not even opened as a page of its own, nor in a frame of another."""
    for path in ("/livez", "/nowhere", "/openapi.json", "/health"):
        policy = (await asked(path)).headers["content-security-policy"]
        assert policy == "default-src 'none'; frame-ancestors 'none'"


async def test_no_answer_repeats_the_host_that_a_request_named() -> None:
    """A path with a slash too many is not sent on to wherever the request pretends to be."""
    async with in_process(echo_app(furnished())) as client:
        for path in ("/v1/echo/", "/livez/", "/docs/"):
            answer = await client.get(path, headers={"Host": "evil.example"})
            assert answer.status_code == 404
            assert "location" not in answer.headers
            assert "evil.example" not in answer.text
