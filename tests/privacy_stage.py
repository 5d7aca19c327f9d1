"""What the tests of privacy stand on: the room with real rooms below it, and a node 4 to tell."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from doorway import ADMINISTRATOR_KEY, PEPPERS, an_audit
from notification_stage import Room as NotificationsRoom
from student_hub.access.service import Access
from student_hub.history.jobs import history_handlers
from student_hub.history.service import History
from student_hub.interventions.changing import Changes
from student_hub.interventions.creating import Creating
from student_hub.interventions.planning import Planner
from student_hub.interventions.schemas import Approval
from student_hub.interventions.service import Interventions
from student_hub.nodes.errors import NodeFailed, Reason
from student_hub.nodes.gateway import Gateway
from student_hub.nodes.gen import Gen
from student_hub.nodes.lab import Lab
from student_hub.nodes.logic_engine import LogicEngine
from student_hub.nodes.q_dna import QDna
from student_hub.nodes.schemas import Recorded
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import Database
from student_hub.platform.jobs.bell import Doorbell
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.jobs.workshop import Workshop
from student_hub.platform.security.caller import SYSTEM
from student_hub.platform.security.keyring import Keyring
from student_hub.privacy.erasing import Erasing
from student_hub.privacy.exporting import Exporting
from student_hub.privacy.jobs import privacy_handlers
from student_hub.schedules.service import Schedules
from student_hub.students.consents import Consents
from student_hub.students.service import Students


class LabFake(Lab):
    """Node 4 as far as it is told of students: it may lack the tools, or be away."""

    def __init__(self) -> None:
        self.held: dict[str, list[str]] = {}
        self.forgot: list[UUID] = []
        self.offers_forgetting = True
        self.is_away = False

    async def record_events(self, events: Sequence[dict[str, object]]) -> Recorded:
        for event in events:
            self.held.setdefault(str(event["student_id"]), []).append(str(event["source_id"]))
        return Recorded(recorded=len(events))

    async def void_event(self, source_node: int, source_id: str) -> bool:
        return any(source_id in ids for ids in self.held.values()) and source_node >= 0

    async def forget_student(self, student_id: UUID) -> int | None:
        if self.is_away:
            raise NodeFailed(node="lab-node", tool="forget_student", reason=Reason.TIMEOUT)
        if not self.offers_forgetting:
            return None
        self.forgot.append(student_id)
        return len(self.held.pop(str(student_id), []))


class Room:
    """The services of the room and of those below it, on one database and one master key."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self.database = database
        self.ledger = Ledger(database, Doorbell(lambda _: None))
        audit = an_audit(database)
        self.audit = audit
        self.students = Students(database, keyring, utc_now, audit)
        self.consents = Consents(database, self.students, audit, utc_now)
        self.history = History(database, self.students, utc_now, audit, forward=self.ledger)
        self.access = Access(
            database, peppers=PEPPERS, audit=audit, administrator_key=ADMINISTRATOR_KEY
        )
        self.erasing = Erasing(database, self.students, audit, keyring, self.ledger, utc_now)
        base = (database, self.students, self.ledger, audit, utc_now)
        self.schedules = Schedules(*base, types=[])
        told = NotificationsRoom(database, keyring)
        self.notifications = told
        self.exporting = Exporting(
            database,
            self.students,
            self.consents,
            self.history,
            self.access,
            audit,
            utc_now,
            notifications=told.notifications,
            schedules=self.schedules,
            interventions=self._plans(),
        )
        self.lab = LabFake()
        self.emptied: list[tuple[UUID, int]] = []

    def _plans(self) -> Interventions:
        told, planned = self.notifications.notifications, self.schedules
        changes = Changes(self.students, self.history, planned, told, self.ledger, utc_now)
        nobody = Gateway({}, lambda _node, _tool, _status, _seconds: None)
        planner = Planner(LogicEngine(nobody), QDna(nobody), Gen(nobody))
        base = (self.database, self.students, self.audit)
        creating = Creating(*base, utc_now, planner, changes, Approval.NONE)
        return Interventions(*base, creating)

    async def work(self) -> int:
        """Does every job, whenever it is due; how many there were."""
        async with self.database.transaction(SYSTEM) as tx:
            await tx.session.execute(text("UPDATE jobs SET not_before = now()"))
        return await self._workshop().work(Queue.DEFAULT)

    def _workshop(self) -> Workshop:
        async def forget_cached(student_id: UUID, generation: int) -> None:
            self.emptied.append((student_id, generation))

        lab, history = self.lab, self.history
        handlers = {
            **history_handlers(self.database, history, self.students, lab, self.ledger),
            **privacy_handlers(self.erasing, history, lab, forget_cached),
        }
        return Workshop(self.ledger, handlers)
