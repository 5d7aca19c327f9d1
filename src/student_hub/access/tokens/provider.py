"""What an identity provider publishes of itself: its metadata, and where its keys are."""

from urllib.parse import urlsplit, urlunsplit

from student_hub.access.tokens.addresses import may_be_asked
from student_hub.access.tokens.errors import DocumentUnusable
from student_hub.access.tokens.fetching import Fetch, fetch
from student_hub.access.tokens.keys import Keys, read_keys
from student_hub.platform.errors import Fact
from student_hub.platform.strict_json import NotJson, read

CLIENT_ERRORS = range(400, 500)


class Provider:
    """Asks one issuer for its keys; where they are is asked anew after a failure."""

    def __init__(self, issuer: str, *, allow_http: bool = False, fetch: Fetch = fetch) -> None:
        self._issuer = issuer
        self._allow_http = allow_http
        self._fetch = fetch
        self._keys_url: str | None = None

    async def keys(self) -> Keys:
        """The keys as they are published now; DocumentUnusable when they cannot be had."""
        url, self._keys_url = self._keys_url, None
        if url is None:
            url = self._place_of_keys(await self._metadata())
        keys = read_keys(_json(await self._fetch(url)))
        self._keys_url = url
        return keys

    async def _metadata(self) -> Fact:
        """The document of OpenID Connect Discovery, or the one of RFC 8414 where there is none."""
        try:
            return _json(await self._fetch(openid_url(self._issuer)))
        except DocumentUnusable as error:
            if error.status not in CLIENT_ERRORS:
                raise
        return _json(await self._fetch(oauth_url(self._issuer)))

    def _place_of_keys(self, metadata: Fact) -> str:
        said = metadata if isinstance(metadata, dict) else {}
        if said.get("issuer") != self._issuer:
            raise DocumentUnusable("its metadata names another issuer than the setting does")
        url = said.get("jwks_uri")
        if not isinstance(url, str) or not may_be_asked(url, allow_http=self._allow_http):
            raise DocumentUnusable("its keys are at no address that may be asked")
        return url


def openid_url(issuer: str) -> str:
    """Where OpenID Connect Discovery puts the metadata: behind the issuer's path."""
    return f"{issuer.removesuffix('/')}/.well-known/openid-configuration"


def oauth_url(issuer: str) -> str:
    """Where RFC 8414 puts it: between the host and the issuer's path."""
    parts = urlsplit(issuer)
    path = f"/.well-known/oauth-authorization-server{parts.path.removesuffix('/')}"
    return urlunsplit(parts._replace(path=path))


def _json(document: bytes) -> Fact:
    try:
        return read(document)
    except NotJson as error:
        raise DocumentUnusable("it is not JSON") from error
