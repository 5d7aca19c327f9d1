"""The hub as a protected resource: its names, and what it publishes of itself (RFC 9728)."""

from dataclasses import dataclass

from student_hub.platform.http.challenges import PREFIX
from student_hub.platform.security.caller import Scope

MCP_PATH = "/mcp"
NAME = "Student Hub"


@dataclass(frozen=True, slots=True)
class Resource:
    """The public address of the hub, without a slash at its end, and who issues tokens for it."""

    url: str
    issuers: tuple[str, ...]
    named: tuple[str, ...] = ()
    """Other names that the issuers were told to use instead, if any."""

    @property
    def audiences(self) -> tuple[str, ...]:
        """What `aud` may hold: the address of the hub or of its /mcp, or the names given instead.

        Clients that read an address as a URL put a slash behind a bare host.
        """
        return self.named or (self.url, f"{self.url}/", f"{self.url}{MCP_PATH}")

    def metadata(self, path: str = "") -> dict[str, str | list[str]]:
        """The document about the hub as a whole, or about the path for which a client takes it."""
        return {
            "resource": f"{self.url}{path}",
            "resource_name": NAME,
            "authorization_servers": list(self.issuers),
            "scopes_supported": [f"{PREFIX}{scope}" for scope in Scope],
            "bearer_methods_supported": ["header"],
        }
