"""The whole house, built by hand: every constructor call, in order."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from celery import Celery

from student_hub.access.audit.anchors import Anchors
from student_hub.access.audit.jobs import audit_handlers
from student_hub.access.audit.keeping import LogKeeper
from student_hub.access.audit.service import Audit
from student_hub.access.audit.spool import Spool
from student_hub.access.service import Access
from student_hub.entry.context import broker_url, given, secret
from student_hub.entry.job_log import witness_of
from student_hub.entry.rooms import notifications
from student_hub.entry.rooms.analytics import build_analytics
from student_hub.entry.rooms.interventions import Followers, build_interventions
from student_hub.entry.rooms.interventions import handlers_of as handlers_of_interventions
from student_hub.entry.rooms.schedules import build_schedules
from student_hub.entry.tokens import tokens_of
from student_hub.history.importing.runner import Importer
from student_hub.history.jobs import history_handlers
from student_hub.history.service import History
from student_hub.interventions.service import Interventions
from student_hub.nodes.gateway import Gateway
from student_hub.nodes.lab import Lab
from student_hub.nodes.lane import Signals
from student_hub.nodes.logic_engine import LogicEngine
from student_hub.nodes.q_dna import QDna
from student_hub.nodes.registry import Address, NodeName, Renamed
from student_hub.nodes.report import Report
from student_hub.nodes.school import SchoolInfo
from student_hub.notifications.preferences import PreferenceBook
from student_hub.notifications.service import Notifications
from student_hub.platform.cache.store import Cache
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import REQUEST, Database, Deadlines
from student_hub.platform.db.listening import Listener
from student_hub.platform.jobs.bell import Doorbell
from student_hub.platform.jobs.carrier import bell_press, make_celery
from student_hub.platform.jobs.desk import JobDesk
from student_hub.platform.jobs.figures import QueueFigures, RunFigures
from student_hub.platform.jobs.job import Handlers
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.jobs.pruning import ledger_handlers
from student_hub.platform.jobs.workshop import Workshop
from student_hub.platform.limits.costs import Allowance
from student_hub.platform.limits.limiter import Limiter
from student_hub.platform.observability.metrics import Metrics
from student_hub.platform.parts import Parts
from student_hub.platform.security.keyring import Keyring
from student_hub.platform.settings import Settings
from student_hub.privacy.erasing import Erasing
from student_hub.privacy.exporting import Exporting
from student_hub.privacy.jobs import privacy_handlers
from student_hub.privacy.sealing import Seals
from student_hub.profiles.asking import ProfileNodes
from student_hub.profiles.gathering import Gatherer
from student_hub.profiles.service import Profiles
from student_hub.profiles.shelf import Shelf
from student_hub.schedules.service import Schedules
from student_hub.students.care import CareNotes
from student_hub.students.consents import Consents
from student_hub.students.jobs import student_handlers
from student_hub.students.rewrapping import StudentKeys
from student_hub.students.rotation import Rotation
from student_hub.students.rotation_schemas import Holder
from student_hub.students.service import Students
from student_hub.students.vault import Vault

Open = Callable[[], Awaitable[None]]
Close = Callable[[], Awaitable[None]]


@dataclass
class House:
    """The finished parts, and how they are set going and put away."""

    parts: Parts
    celery: Celery
    opening: list[Open] = field(default_factory=list)
    closing: list[Close] = field(default_factory=list)

    async def open(self) -> None:
        """Sets going, in the running loop, what a process that stays does beside its work."""
        for start in self.opening:
            await start()

    async def close(self) -> None:
        """Puts the parts away, the last made first."""
        for close in reversed(self.closing):
            await close()


def build(settings: Settings, deadlines: Deadlines = REQUEST) -> House:
    """Every part of the hub; nothing connects before it is used. StackError names a gap."""
    celery = make_celery(broker_url(settings), given(settings, "celery_result_backend"))
    house = House(Parts(), celery)
    _lay_ground(house, settings, deadlines)
    _build_audit(house, settings)
    _build_rooms(house, settings)
    build_schedules(house.parts)
    notifications.build_notifications(house.parts, settings)
    build_interventions(house.parts, settings)
    _build_readers(house, settings)
    _build_workshop(house)
    return house


def _lay_ground(house: House, settings: Settings, deadlines: Deadlines) -> None:
    known = given(settings, "encryption_keys_known") or ""
    keyring = house.parts.put(Keyring.from_base64(secret(settings, "encryption_key"), known))
    url, pool_size = secret(settings, "database_url"), settings.database_pool_size
    db = Database(url, pool_size=pool_size, deadlines=deadlines)
    cache = Cache(secret(settings, "redis_url"), keyring.derive("cache"))
    bell = Doorbell(bell_press(house.celery))
    listener = Listener(url)
    for part in (db, listener, cache, bell):
        house.parts.put(part)
        house.closing.append(part.close)
    house.parts.put(Limiter(cache.line, _limits(settings)))
    house.parts.put(Ledger(db, bell))
    house.parts.put(Metrics())


def _limits(settings: Settings) -> dict[Allowance, int]:
    return {
        Allowance.ORDINARY: settings.rate_limit_per_minute,
        Allowance.EXPENSIVE: settings.expensive_rate_limit_per_minute,
    }


def _build_audit(house: House, settings: Settings) -> None:
    parts, folder = house.parts, settings.data_dir.expanduser().resolve()
    db = parts.get(Database)
    audit = parts.put(Audit(db, Spool(settings.audit_spool_dir or folder / "audit-spool"), utc_now))
    house.opening.append(audit.start)
    house.closing.append(audit.close)
    anchors = parts.put(Anchors(folder / "audit-anchors.ndjson"))
    days = settings.audit_retention_days
    parts.put(LogKeeper(db, parts.get(Keyring), anchors, kept_days=days, clock=utc_now))


def _build_rooms(house: House, settings: Settings) -> None:
    parts = house.parts
    db, keyring = parts.get(Database), parts.get(Keyring)
    tokens = tokens_of(settings)
    if tokens is not None:
        house.closing.append(tokens.close)
    access = Access(
        db,
        peppers={key: keyring.derive("api-key-pepper", key) for key in keyring.known_ids},
        audit=parts.get(Audit),
        administrator_key=given(settings, "api_key"),
        tokens=tokens,
        listener=parts.get(Listener),
    )
    house.closing.append(access.drain)
    parts.put(access)
    _build_students(house, settings)
    gateway = _gateway(settings, parts.get(Metrics))
    house.closing.append(gateway.close)
    parts.put(gateway)


def _build_students(house: House, settings: Settings) -> None:
    parts = house.parts
    db, keyring, audit = parts.get(Database), parts.get(Keyring), parts.get(Audit)
    students = Students(
        db,
        keyring,
        utc_now,
        audit,
        parts.get(Listener),
        consent_up_to_grade=settings.consent_up_to_grade,
    )
    parts.put(students)
    parts.put(Consents(db, students, audit, utc_now))
    parts.put(CareNotes(db, keyring))
    holders: list[Holder] = [StudentKeys(Vault(keyring)), Seals(keyring), PreferenceBook(keyring)]
    parts.put(Rotation(db, keyring, parts.get(Ledger), utc_now, audit, holders))
    history = History(
        db,
        students,
        utc_now,
        audit,
        forward=parts.get(Ledger) if settings.forward_events else None,
        follow=Followers(parts),
        retention_days=settings.history_retention_days,
    )
    parts.put(history)
    parts.put(Importer(db, students, history, utc_now))


def _build_workshop(house: House) -> None:
    parts = house.parts
    ledger, db, gateway = parts.get(Ledger), parts.get(Database), parts.get(Gateway)
    history, students, lab = parts.get(History), parts.get(Students), Lab(gateway)
    handlers: Handlers = {
        **ledger_handlers(ledger),
        **audit_handlers(parts.get(LogKeeper)),
        **student_handlers(parts.get(Rotation), parts.get(CareNotes)),
        **history_handlers(db, history, students, lab, ledger),
        **privacy_handlers(parts.get(Erasing), history, lab, parts.get(Shelf).forget),
        **notifications.handlers_of(parts),
        **handlers_of_interventions(parts),
    }
    metrics = parts.get(Metrics)
    desk = parts.put(JobDesk(db, parts.get(Doorbell), witness_of(parts.get(Audit))))
    parts.put(QueueFigures(metrics, desk))
    figures = parts.put(RunFigures(metrics))
    parts.put(Workshop(ledger, handlers, observe=figures.observe))


def _build_readers(house: House, settings: Settings) -> None:
    parts = house.parts
    gateway, metrics = parts.get(Gateway), parts.get(Metrics)
    nodes = ProfileNodes(
        LogicEngine(gateway), QDna(gateway), Lab(gateway), Report(gateway), SchoolInfo(gateway)
    )
    shelf = parts.put(Shelf(parts.get(Cache), settings.profile_ttl_s))
    deadline_s = settings.profile_deadline_ms / 1000
    active = parts.get(Interventions).active_json
    gatherer = Gatherer(nodes, shelf, parts.get(Cache), utc_now, deadline_s, active)
    house.closing.append(gatherer.close)
    students, audit = parts.get(Students), parts.get(Audit)
    parts.put(Profiles(students, gatherer, shelf, audit, metrics.observe_profile))
    db, keyring, history = parts.get(Database), parts.get(Keyring), parts.get(History)
    parts.put(Erasing(db, students, audit, keyring, parts.get(Ledger), utc_now))
    consents, access = parts.get(Consents), parts.get(Access)
    parts.put(
        Exporting(
            db,
            students,
            consents,
            history,
            access,
            audit,
            utc_now,
            notifications=parts.get(Notifications),
            schedules=parts.get(Schedules),
            interventions=parts.get(Interventions),
        )
    )
    house.closing.append(build_analytics(parts).close)


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
