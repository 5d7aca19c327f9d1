"""What is told of an error for good: enough to find its cause, and nothing of a person."""

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError

from student_hub.nodes.errors import NodeFailed, Reason
from student_hub.platform.db.database import DatabaseAway
from student_hub.platform.errors import HubError, InvalidInput
from student_hub.platform.jobs.blame import database_failed, told_of, was_away
from student_hub.platform.security.keyring import Keyring, MasterKeyUnusable

pytestmark = pytest.mark.requirement("ledger-dead-letters")
NAME, MAIL = "김철수", "parent@example.kr"


def test_of_a_foreign_error_only_its_code_is_told() -> None:
    """Its text may hold whatever it was about: a value, a statement, a row."""
    row = Exception(f"Key (name)=({NAME}) already exists.")
    row.sqlstate = "23505"  # type: ignore[attr-defined]
    database = IntegrityError(f"INSERT INTO students: {NAME}", {"name": NAME}, row)
    assert told_of(database) == "sqlstate 23505"
    assert told_of(ValueError(f"cannot parse {NAME} <{MAIL}>")) == ""


def test_the_place_in_the_hubs_own_code_is_told() -> None:
    """File and line, from where an operator's report leads to the cause."""
    with pytest.raises(MasterKeyUnusable) as caught:
        Keyring.from_base64("no key")
    told = told_of(caught.value)
    assert told.startswith("(student_hub/platform/security/keyring.py:")


def test_what_a_node_did_is_told() -> None:
    """Its name, the tool and the reason are words of the program."""
    error = NodeFailed(node="lab-node", tool="record_events", reason=Reason.TIMEOUT)
    assert told_of(error) == ("The node lab-node gave no usable answer to record_events: timeout.")


@pytest.mark.parametrize("text", [NAME, MAIL, "010-1234-5678", "two words", "x" * 101, ""])
def test_of_a_fact_that_is_no_word_of_the_program_nothing_is_told(text: str) -> None:
    """What a room puts into its error is not trusted to be harmless."""
    assert told_of(InvalidInput(problem=text)) == "Not valid: [removed]."


class Stopped(Exception):
    """What PostgreSQL says with this code."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__()
        self.sqlstate = sqlstate


@pytest.mark.parametrize("code", ["57P01", "57P02", "57P03", "40001", "40P01"])
def test_a_database_that_stops_or_undoes_work_is_no_fault_of_the_job(code: str) -> None:
    """Such a job could not be tried: no attempt is counted."""
    assert was_away(DBAPIError("", None, Stopped(code)))


def test_who_is_away_is_told_apart_from_what_fails() -> None:
    """A node or database that is away defers a job; its own errors count as attempts."""
    node = NodeFailed(node="lab-node", tool="record_events", reason=Reason.TIMEOUT)
    assert was_away(node)
    assert not database_failed(node)
    assert was_away(DatabaseAway())
    assert database_failed(DatabaseAway())
    for own in (HubError(), ValueError(), DBAPIError("", None, Stopped("23505"))):
        assert not was_away(own)
