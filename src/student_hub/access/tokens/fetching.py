"""Documents of identity providers, fetched over HTTP within limits."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

import aiohttp

from student_hub.access.tokens.errors import DocumentUnusable

LONGEST_S = 3.0
MOST_BYTES = 256 * 1_024
PIECE = 16 * 1_024
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}

Fetch = Callable[[str], Awaitable[bytes]]
"""The document at a URL; DocumentUnusable when it cannot be had."""


async def fetch(url: str) -> bytes:
    """The document, at most 256 KiB within three seconds; redirects are not followed."""
    timeout = aiohttp.ClientTimeout(total=LONGEST_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as http,
            http.get(url, headers=HEADERS, allow_redirects=False) as response,
        ):
            if response.status != HTTPStatus.OK:
                raise DocumentUnusable(f"status {response.status}", response.status)
            return await _bounded(response)
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        raise DocumentUnusable(type(error).__name__) from error


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in response.content.iter_chunked(PIECE):
        body += piece
        if len(body) > MOST_BYTES:
            raise DocumentUnusable("it is too large")
    return bytes(body)
