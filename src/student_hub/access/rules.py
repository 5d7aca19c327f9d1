"""The rules of the doors: which roles may knock at each route and tool; none other is answered.

A route is named by method and template, a tool as `tool <name>`, what takes any method by its
template alone. What is not in the table is refused, and a test of the house walks the app: a new
route, tool or mount needs its line here.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from typing import Final, TypeAlias

import structlog

from student_hub.access.errors import NotForThisRole
from student_hub.platform.errors import NotAuthenticated
from student_hub.platform.security.caller import Caller, Role

log = structlog.get_logger()


class Open(Enum):
    """The rule of what needs no credential at all."""

    PUBLIC = "public"


PUBLIC: Final = Open.PUBLIC
EVERYBODY = frozenset(Role)
ADMINS = frozenset({Role.ADMIN})
SYSTEMS = frozenset({Role.ADMIN, Role.SERVICE})
PEOPLE = EVERYBODY - {Role.SERVICE}
PLANNERS = frozenset({Role.ADMIN, Role.SERVICE, Role.TEACHER})
READERS = PEOPLE - {Role.ADMIN}
STAFF = SYSTEMS | {Role.TEACHER}

Rule: TypeAlias = AbstractSet[Role] | Open

RULES: Mapping[str, Rule] = {
    # states, and the description of the interface
    "GET /livez": PUBLIC,
    "GET /readyz": PUBLIC,
    "GET /health": PUBLIC,
    "GET /docs": PUBLIC,
    "GET /openapi.json": PUBLIC,
    "GET /.well-known/oauth-protected-resource": PUBLIC,
    "GET /.well-known/oauth-protected-resource/mcp": PUBLIC,
    "GET /metrics": SYSTEMS,
    # tools: each has a rule of its own
    "/mcp": EVERYBODY,
    "POST /rpc": EVERYBODY,
    "tool get_unified_profile": EVERYBODY,
    "tool get_unified_profiles": EVERYBODY,
    # students
    "POST /v1/students": SYSTEMS,
    "GET /v1/students": EVERYBODY,
    "POST /v1/students/import": SYSTEMS,
    "GET /v1/students/{student_id}": EVERYBODY,
    "PATCH /v1/students/{student_id}": SYSTEMS,
    "GET /v1/students/{student_id}/viewers": PEOPLE,
    "DELETE /v1/students/{student_id}": SYSTEMS,
    "POST /v1/students/{student_id}/erasure": SYSTEMS,
    "POST /v1/students/{student_id}/export": EVERYBODY - {Role.SERVICE, Role.TEACHER},
    "GET /v1/students/{student_id}/consents": EVERYBODY,
    "POST /v1/students/{student_id}/consents": SYSTEMS,
    "POST /v1/students/{student_id}/consents/{consent_id}/withdraw": SYSTEMS,
    "GET /v1/students/{student_id}/processing": EVERYBODY,
    "PUT /v1/students/{student_id}/processing": SYSTEMS,
    # history and profiles
    "POST /v1/events": SYSTEMS,
    "POST /v1/events/void": SYSTEMS,
    "GET /v1/students/{student_id}/history": EVERYBODY,
    "GET /v1/students/{student_id}/profile": EVERYBODY,
    "POST /v1/profiles": EVERYBODY,
    # classes
    "tool get_class_analytics": STAFF,
    "GET /v1/classes/{class_id}/analytics": STAFF,
    # administration
    "POST /admin/keys": ADMINS,
    "GET /admin/keys": ADMINS,
    "POST /admin/keys/{key_id}/rotate": ADMINS,
    "DELETE /admin/keys/{key_id}": ADMINS,
    "POST /admin/grants": ADMINS,
    "GET /admin/grants": ADMINS,
    "DELETE /admin/grants/{grant_id}": ADMINS,
    "GET /admin/erasures": ADMINS,
    "GET /admin/encryption-keys/rotation": ADMINS,
    "POST /admin/encryption-keys/rotation": ADMINS,
    "GET /admin/nodes": ADMINS,
    "GET /admin/jobs": ADMINS,
    "GET /admin/jobs/queues": ADMINS,
    "POST /admin/jobs/retry": ADMINS,
    "GET /admin/jobs/{job_id}": ADMINS,
    "POST /admin/jobs/{job_id}/retry": ADMINS,
    "DELETE /admin/jobs/{job_id}": ADMINS,
    "GET /admin/audit": ADMINS,
    "GET /admin/audit/review": ADMINS,
    # scheduled tasks
    "tool schedule_periodic_task": PLANNERS,
    "POST /v1/tasks": PLANNERS,
    "GET /v1/tasks": PLANNERS,
    "GET /v1/tasks/{task_id}": PLANNERS,
    "GET /v1/tasks/{task_id}/runs": PLANNERS,
    "POST /v1/tasks/{task_id}/pause": PLANNERS,
    "POST /v1/tasks/{task_id}/resume": PLANNERS,
    "POST /v1/tasks/{task_id}/cancel": PLANNERS,
    "POST /v1/tasks/{task_id}/run-now": PLANNERS,
    # interventions
    "tool create_learning_intervention": PLANNERS,
    "POST /v1/interventions": PLANNERS,
    "GET /v1/interventions": EVERYBODY,
    "GET /v1/interventions/effect": PLANNERS,
    "GET /v1/interventions/{intervention_id}": EVERYBODY,
    "POST /v1/interventions/{intervention_id}/approve": PLANNERS,
    "POST /v1/interventions/{intervention_id}/edit": PLANNERS,
    "POST /v1/interventions/{intervention_id}/reject": PLANNERS,
    "POST /v1/interventions/{intervention_id}/pause": PLANNERS,
    "POST /v1/interventions/{intervention_id}/resume": PLANNERS,
    "POST /v1/interventions/{intervention_id}/cancel": PLANNERS,
    "POST /v1/interventions/{intervention_id}/complete": PLANNERS,
    "POST /v1/interventions/{intervention_id}/steps/{step}/complete": PLANNERS,
    # notifications
    "GET /v1/inbox": READERS,
    "POST /v1/inbox/{notification_id}/read": READERS,
    "GET /v1/preferences": READERS,
    "PUT /v1/preferences": READERS,
    "GET /unsubscribe": PUBLIC,
    "POST /unsubscribe": PUBLIC,
    "GET /admin/notifications": ADMINS,
    "POST /admin/notifications/{notification_id}/retry": ADMINS,
    "POST /admin/notifications/{notification_id}/resolve": ADMINS,
}


class Doors:
    """A table of rules, as the doors ask it."""

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self._rules = dict(rules)

    def admit(self, door: str, caller: Caller | None) -> None:
        """Nothing when the caller's role may knock there; NotAuthenticated, or NotForThisRole.

        A door without a rule is closed to everybody, and the log says so.
        """
        rule = self._rules.get(door)
        if rule is PUBLIC:
            return
        if caller is None:
            raise NotAuthenticated
        if rule is None:
            log.error("door_without_rule", door=door)
        if rule is None or caller.role not in rule:
            raise NotForThisRole(role=caller.role.value)
