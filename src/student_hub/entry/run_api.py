"""`student-hub serve`: the API process."""

from functools import partial

from student_hub.entry.api import create_app
from student_hub.entry.guarded import require_guarded
from student_hub.entry.house import House, build
from student_hub.entry.serve import serve
from student_hub.nodes.gateway import Gateway
from student_hub.nodes.registry import NodeName
from student_hub.platform.cache.store import Cache
from student_hub.platform.db.database import Database
from student_hub.platform.http.health import Health
from student_hub.platform.observability.logging import configure_logging
from student_hub.platform.settings import Settings


def run_api(settings: Settings) -> None:
    """Serves the hub until SIGTERM; what is under way then gets ten seconds to finish."""
    configure_logging(settings.log_level, settings.log_format)
    require_guarded(settings)
    house = build(settings)
    health = health_of(house)
    app = create_app(house.parts, settings, health, on_stop=house.close, on_start=house.open)
    serve(app, health, host=settings.host, port=settings.port)


def health_of(house: House) -> Health:
    """What the house stands on: its database, its cache store, and the six nodes."""
    gateway = house.parts.get(Gateway)
    return Health(
        database=house.parts.get(Database).ping,
        redis=house.parts.get(Cache).ping,
        nodes={node.value: partial(gateway.ping, node) for node in NodeName},
    )
