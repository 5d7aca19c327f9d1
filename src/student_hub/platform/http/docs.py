"""The page that shows the OpenAPI description, with nothing in it that was not looked at.

Swagger UI comes from a public CDN: the version is fixed and browsers check its digest, for
whoever could change that script would read the keys that people type into the page.
"""

from base64 import b64encode
from hashlib import sha256

from fastapi import APIRouter
from starlette.responses import HTMLResponse

PATH = "/docs"
FROM = "https://cdn.jsdelivr.net/npm/swagger-ui-dist@5.35.0/"
DIGESTS = {
    "swagger-ui-bundle.js": "gjRm0bEPMeTmMh5jT2cHccIwCUZSTd8YC+j0d0sXw0MdGEfScduGpSyF3ZSSLkX9",
    "swagger-ui.css": "WlYgdmXYOOBWL5apwjDEZwN+U3HmXSSu5R6V5aGxEcf7z+KuRNwBhoxKVN1i3D5I",
}
"""SHA-384 of the files in the npm package of that version."""
BEGIN = 'SwaggerUIBundle({url: "/openapi.json", dom_id: "#ui", deepLinking: true})'
POLICY = "; ".join(
    (
        "default-src 'none'",
        f"script-src {FROM} 'sha256-{b64encode(sha256(BEGIN.encode()).digest()).decode()}'",
        f"style-src {FROM} 'unsafe-inline'",
        "img-src data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


def _checked(name: str) -> str:
    return f'"{FROM}{name}" integrity="sha384-{DIGESTS[name]}" crossorigin="anonymous"'


PAGE = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Student Hub: interface</title>
<link rel="stylesheet" href={_checked("swagger-ui.css")}>
</head>
<body>
<div id="ui"></div>
<script src={_checked("swagger-ui-bundle.js")}></script>
<script>{BEGIN}</script>
</body>
</html>
"""


def docs_router() -> APIRouter:
    """The page; it needs no key, and no more does the description that it shows."""
    router = APIRouter()

    @router.get(PATH, include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(PAGE, headers={"Content-Security-Policy": POLICY})

    return router
