"""Which web pages may speak to /mcp: a browser says where a request comes from, others do not."""

import re
from collections.abc import Iterable, Sequence

ORIGIN = re.compile(r"https?://(?P<host>\[[0-9a-f:]+\]|[a-z0-9.-]+)(:\d{1,5})?", re.IGNORECASE)


class Origins:
    """The origins that are allowed: those listed, and pages of the hub's own hosts on any port.

    Against DNS rebinding and pages that use their reader's network; with any host allowed (`*`)
    there are no own hosts, and only those listed are left.
    """

    def __init__(self, hosts: Sequence[str], listed: Sequence[str]) -> None:
        self._hosts = frozenset(host.lower() for host in hosts)
        self._listed = frozenset(listed)

    def allow(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether no header names an origin that is not allowed."""
        return all(self._is_good(value) for name, value in headers if name == b"origin")

    def _is_good(self, value: bytes) -> bool:
        origin = value.decode("latin-1")
        match = ORIGIN.fullmatch(origin)
        return origin in self._listed or (
            match is not None and match["host"].lower() in self._hosts
        )
