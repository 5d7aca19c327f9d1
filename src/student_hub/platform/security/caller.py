"""Who is asking: made from a credential at the door, passed on as an explicit argument."""

from dataclasses import dataclass
from enum import StrEnum

from student_hub.platform.errors import NotAllowed


class Scope(StrEnum):
    """What a credential may do; `admin` may do everything."""

    READ = "read"
    WRITE = "write"
    SENSITIVE = "sensitive"
    PLAN = "plan"
    """Learning interventions and scheduled tasks: make, change and end them."""
    ADMIN = "admin"


class Role(StrEnum):
    """What somebody is to the students: bounds what their scopes may be and whom they may see."""

    ADMIN = "admin"
    TEACHER = "teacher"
    STUDENT = "student"
    PARENT = "parent"
    SERVICE = "service"


ALL_SEEING = frozenset({Role.ADMIN, Role.SERVICE})


class Door(StrEnum):
    """By which way a request came in."""

    MCP = "mcp"
    RPC = "rpc"
    REST = "rest"
    ADMIN = "admin"
    CLI = "cli"
    JOB = "job"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from: for the audit log, never for a decision."""

    door: Door
    address: str | None = None
    request_id: str | None = None


INSIDE = Origin(Door.SYSTEM)


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller; `subject` and `credential` are safe to log (never the key itself).

    `reach` holds labels of what the caller may see; None is everything. What a label means is the
    business of the rooms above.
    """

    subject: str
    scopes: frozenset[Scope]
    role: Role = Role.SERVICE
    reach: frozenset[str] | None = None
    credential: str = ""
    origin: Origin = INSIDE

    @property
    def sees_all(self) -> bool:
        """Whether they see every student: nobody without a reach whose role must have one."""
        return self.reach is None and self.role in ALL_SEEING

    def require(self, scope: Scope) -> None:
        """Nothing when the caller has the scope; NotAllowed otherwise."""
        if scope not in self.scopes and Scope.ADMIN not in self.scopes:
            raise NotAllowed(scope=scope.value)


SYSTEM = Caller("system", frozenset({Scope.ADMIN}), Role.ADMIN)
"""The hub itself, in jobs and at start-up."""
