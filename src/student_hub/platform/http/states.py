"""/livez, /readyz, /health and /metrics, for supervisors and operators."""

from fastapi import APIRouter, Response

from student_hub.platform.http.health import Health, HealthReport, Overall
from student_hub.platform.observability.metrics import CONTENT_TYPE, Metrics


def states_router(health: Health, metrics: Metrics) -> APIRouter:
    """The routes that say how the hub is; all but /metrics need no key."""
    router = APIRouter(tags=["states"])

    @router.get("/livez", summary="Whether the process runs; asks nothing else")
    async def livez() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/readyz", summary="Whether requests should be sent here", responses={503: {}})
    async def readyz(response: Response) -> dict[str, str]:
        ready = await health.ready()
        response.status_code = 200 if ready else 503
        return {"status": "ready" if ready else "not ready"}

    @router.get("/health", summary="What works and what is away", responses={503: {}})
    async def state(response: Response) -> HealthReport:
        report = await health.report()
        response.status_code = 503 if report.status is Overall.UNHEALTHY else 200
        return report

    @router.get("/metrics", summary="Figures for Prometheus", response_class=Response)
    async def figures() -> Response:
        return Response(await metrics.scraped(), media_type=CONTENT_TYPE)

    return router
