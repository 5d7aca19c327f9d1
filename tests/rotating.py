"""What the tests of key rotation stand on: hubs that know one master key, or two, in some order."""

from collections.abc import Callable

from doorway import an_audit
from student_hub.platform.clock import utc_now
from student_hub.platform.db.database import Database
from student_hub.platform.jobs.bell import Doorbell
from student_hub.platform.jobs.ledger import Ledger
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.jobs.workshop import Workshop
from student_hub.platform.security.keyring import Keyring
from student_hub.students.care import CareNotes
from student_hub.students.jobs import student_handlers
from student_hub.students.rewrapping import StudentKeys
from student_hub.students.rotation import Rotation
from student_hub.students.service import Students
from student_hub.students.vault import Vault

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
BEFORE = Keyring(OLD)
FIRST_STEP = Keyring(OLD, [NEW])
"""Every process knows the new key, and none uses it."""
ROTATED = Keyring(NEW, [OLD])
AFTER = Keyring(NEW)
LEFT = "SELECT count(*) FROM student_keys WHERE key_id <> :key_id"


def hub(database: Database, keyring: Keyring) -> Students:
    return Students(database, keyring, utc_now, an_audit(database))


def rotation(
    database: Database, keyring: Keyring = ROTATED, monotonic: Callable[[], float] | None = None
) -> Rotation:
    ledger, holders = quiet_ledger(database), [StudentKeys(Vault(keyring))]
    if monotonic is None:
        return Rotation(database, keyring, ledger, utc_now, an_audit(database), holders)
    return Rotation(
        database, keyring, ledger, utc_now, an_audit(database), holders, monotonic=monotonic
    )


def quiet_ledger(database: Database) -> Ledger:
    return Ledger(database, Doorbell(lambda _queue: None))


async def work(database: Database, rotating: Rotation, *, most: int = 1_000) -> int:
    """Runs the jobs that wait; how many there were."""
    handlers = student_handlers(rotating, CareNotes(database, ROTATED))
    return await Workshop(quiet_ledger(database), handlers).work(Queue.LOW_PRIORITY, most=most)
