"""The hub's app: each room's routes and tools, named one by one."""

from starlette.types import ASGIApp

from student_hub.access.routes import router as access
from student_hub.entry.assembly import Stop, assemble
from student_hub.entry.tools import TOOLS
from student_hub.history.routes import router as history
from student_hub.nodes.routes import router as nodes
from student_hub.platform.http.health import Health
from student_hub.platform.parts import Parts
from student_hub.platform.settings import Settings
from student_hub.profiles.routes import router as profiles
from student_hub.students.routes import router as students

ROUTERS = (students, history, profiles, access, nodes)


def create_app(parts: Parts, settings: Settings, health: Health, on_stop: Stop) -> ASGIApp:
    """The ASGI app of the whole hub; `on_stop` puts the house away, in the loop it worked in."""
    return assemble(parts, settings, health, routers=ROUTERS, tools=TOOLS, on_stop=on_stop)
