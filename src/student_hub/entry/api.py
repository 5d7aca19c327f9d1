"""The hub's app: each room's routes and tools, named one by one."""

from collections.abc import Mapping

from starlette.types import ASGIApp

from student_hub.access.audit.routes import router as audit
from student_hub.access.routes import grants_router as grants
from student_hub.access.routes import router as access
from student_hub.access.rules import RULES, Doors
from student_hub.access.tokens.routes import metadata_router
from student_hub.analytics.routes import router as analytics
from student_hub.entry.assembly import Start, Stop, assemble, nothing
from student_hub.entry.tokens import resource_of
from student_hub.entry.tools import TOOLS
from student_hub.history.routes import router as history
from student_hub.interventions.routes import router as interventions
from student_hub.nodes.routes import router as nodes
from student_hub.notifications.routes import router as notifications
from student_hub.platform.http.health import Health
from student_hub.platform.http.limiting import Price, Tariff, per_item
from student_hub.platform.jobs.routes import router as jobs
from student_hub.platform.limits.costs import EXPENSIVE
from student_hub.platform.limits.failures import Failures
from student_hub.platform.limits.limiter import Limiter
from student_hub.platform.parts import Parts
from student_hub.platform.settings import Settings
from student_hub.privacy.routes import router as privacy
from student_hub.profiles.routes import router as profiles
from student_hub.schedules.routes import router as tasks
from student_hub.students.permitting_routes import router as consents
from student_hub.students.rotation_routes import router as rotation
from student_hub.students.routes import router as students

ROUTERS = (
    students,
    consents,
    rotation,
    history,
    profiles,
    privacy,
    access,
    grants,
    audit,
    jobs,
    nodes,
    tasks,
    notifications,
    interventions,
    analytics,
)

PRICES: Mapping[str, Price] = {
    "POST /v1/students/import": EXPENSIVE,
    "POST /v1/students/{student_id}/export": EXPENSIVE,
    "POST /v1/interventions": EXPENSIVE,
    "POST /v1/profiles": per_item("student_ids"),
    "GET /v1/classes/{class_id}/analytics": EXPENSIVE,
}
"""What routes cost; any other is one ordinary call."""
AT_ONCE = frozenset({"GET /v1/students/{student_id}/profile"})
"""Routes that begin before their permit is known, and await it themselves."""


def create_app(
    parts: Parts, settings: Settings, health: Health, on_stop: Stop, on_start: Start = nothing
) -> ASGIApp:
    """The ASGI app of the whole hub; opens and puts away the house in the loop it works in."""
    return assemble(
        parts,
        settings,
        health,
        routers=(*ROUTERS, metadata_router(resource_of(settings))),
        tools=TOOLS,
        admit=Doors(RULES).admit,
        on_stop=on_stop,
        on_start=on_start,
        tariff=Tariff(parts.get(Limiter).ask, PRICES, AT_ONCE),
        failures=Failures(),
    )
