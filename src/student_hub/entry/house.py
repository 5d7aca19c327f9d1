"""The whole house, built by hand: every constructor call, in order."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from celery import Celery

from student_hub.access.service import Access
from student_hub.entry.context import broker_url, given, secret
from student_hub.history.importing.runner import Importer
from student_hub.history.jobs import history_handlers
from student_hub.history.service import History
from student_hub.nodes.gateway import Gateway
from student_hub.nodes.lab import Lab
from student_hub.nodes.lane import Signals
from student_hub.nodes.logic_engine import LogicEngine
from student_hub.nodes.q_dna import QDna
from student_hub.nodes.registry import Address, NodeName, Renamed
from student_hub.nodes.report import Report
from student_hub.nodes.school import SchoolInfo
from student_hub.platform.cache.store import Cache
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import REQUEST, Database, Deadlines
from student_hub.platform.db.listening import Listener
from student_hub.platform.jobs.bell import Doorbell
from student_hub.platform.jobs.carrier import bell_press, make_celery
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.jobs.pruning import ledger_handlers
from student_hub.platform.jobs.workshop import Workshop
from student_hub.platform.observability.metrics import Metrics
from student_hub.platform.parts import Parts
from student_hub.platform.security.keyring import Keyring
from student_hub.platform.settings import Settings
from student_hub.profiles.asking import ProfileNodes
from student_hub.profiles.gathering import Gatherer
from student_hub.profiles.service import Profiles
from student_hub.profiles.shelf import Shelf
from student_hub.students.service import Students

Close = Callable[[], Awaitable[None]]


@dataclass
class House:
    """The finished parts, and how they are put away."""

    parts: Parts
    celery: Celery
    closing: list[Close] = field(default_factory=list)

    async def close(self) -> None:
        """Puts the parts away, the last made first."""
        for close in reversed(self.closing):
            await close()


def build(settings: Settings, deadlines: Deadlines = REQUEST) -> House:
    """Every part of the hub; nothing connects before it is used. StackError names a gap."""
    celery = make_celery(broker_url(settings), given(settings, "celery_result_backend"))
    house = House(Parts(), celery)
    _lay_ground(house, settings, deadlines)
    _build_rooms(house, settings)
    _build_readers(house, settings)
    return house


def _lay_ground(house: House, settings: Settings, deadlines: Deadlines) -> None:
    keyring = house.parts.put(Keyring.from_base64(secret(settings, "encryption_key")))
    url, pool_size = secret(settings, "database_url"), settings.database_pool_size
    db = Database(url, pool_size=pool_size, deadlines=deadlines)
    cache = Cache(secret(settings, "redis_url"), keyring.derive("cache"))
    bell = Doorbell(bell_press(house.celery))
    listener = Listener(url)
    for part in (db, listener, cache, bell):
        house.parts.put(part)
        house.closing.append(part.close)
    house.parts.put(Ledger(db, bell))
    house.parts.put(Metrics())


def _build_rooms(house: House, settings: Settings) -> None:
    parts = house.parts
    db, keyring = parts.get(Database), parts.get(Keyring)
    ledger = parts.get(Ledger)
    access = Access(
        db,
        pepper=keyring.derive("api-key-pepper"),
        administrator_key=given(settings, "api_key"),
        listener=parts.get(Listener),
    )
    house.closing.append(access.drain)
    parts.put(access)
    students = parts.put(Students(db, keyring, utc_now, parts.get(Listener)))
    forward = ledger if settings.forward_events else None
    history = parts.put(History(db, students, utc_now, forward=forward))
    parts.put(Importer(db, students, history, utc_now))
    gateway = _gateway(settings, parts.get(Metrics))
    house.closing.append(gateway.close)
    parts.put(gateway)
    handlers = history_handlers(db, history, students, Lab(gateway), ledger)
    parts.put(Workshop(ledger, {**handlers, **ledger_handlers(ledger)}))


def _build_readers(house: House, settings: Settings) -> None:
    parts = house.parts
    gateway, metrics = parts.get(Gateway), parts.get(Metrics)
    nodes = ProfileNodes(
        LogicEngine(gateway), QDna(gateway), Lab(gateway), Report(gateway), SchoolInfo(gateway)
    )
    shelf = Shelf(parts.get(Cache), settings.profile_ttl_s)
    deadline_s = settings.profile_deadline_ms / 1000
    gatherer = Gatherer(nodes, shelf, parts.get(Cache), utc_now, deadline_s)
    house.closing.append(gatherer.close)
    profiles = Profiles(parts.get(Students), gatherer, shelf, metrics.observe_profile)
    parts.put(profiles)


def _gateway(settings: Settings, metrics: Metrics) -> Gateway:
    addresses = {
        node: Address(getattr(settings, f"node{node.number}_url"), _renamed(settings, node))
        for node in NodeName
    }
    return Gateway(
        addresses,
        metrics.observe_node_call,
        signals=Signals(metrics.observe_node_retry, metrics.observe_circuit),
        attempt_s=settings.node_timeout_ms / 1000,
    )


def _renamed(settings: Settings, node: NodeName) -> dict[str, Renamed]:
    prefix = f"{node.value}."
    return {
        tool.removeprefix(prefix): Renamed(theirs.name, theirs.arguments)
        for tool, theirs in settings.node_tools.items()
        if tool.startswith(prefix)
    }
