"""/.well-known/oauth-protected-resource: who issues tokens for the hub (RFC 9728)."""

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException

from student_hub.access.tokens.resource import MCP_PATH, Resource
from student_hub.platform.http.challenges import WELL_KNOWN

FRESH = "public, max-age=300"
NO_ISSUER = "This hub takes API keys only: no issuer of tokens is set."


def metadata_router(resource: Resource | None) -> APIRouter:
    """The routes of the two documents; 404 where the hub takes no tokens."""
    router = APIRouter(tags=["tokens"])

    @router.get(WELL_KNOWN, summary="Who issues tokens for the hub (RFC 9728)")
    async def hub(response: Response) -> dict[str, str | list[str]]:
        return _document(resource, "", response)

    @router.get(f"{WELL_KNOWN}{MCP_PATH}", summary="The same, for MCP clients")
    async def mcp(response: Response) -> dict[str, str | list[str]]:
        return _document(resource, MCP_PATH, response)

    return router


def _document(
    resource: Resource | None, path: str, response: Response
) -> dict[str, str | list[str]]:
    if resource is None:
        raise HTTPException(404, NO_ISSUER)
    response.headers["Cache-Control"] = FRESH
    return resource.metadata(path)
