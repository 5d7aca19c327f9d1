"""What can go wrong with an intervention."""

from student_hub.platform.errors import HubError, Kind


class InterventionNotFound(HubError):
    """There is no such intervention."""

    kind = Kind.NOT_FOUND


class StepNotFound(HubError):
    """The intervention has no step {step}; it has {total}."""

    kind = Kind.NOT_FOUND


class TargetReached(HubError):
    """The target of {target_level} is reached already: there is nothing to plan."""

    kind = Kind.CONFLICT


class NothingKnown(HubError):
    """Nothing is known of this student yet: without answers there is nothing to plan from."""

    kind = Kind.CONFLICT


class NotProcessed(HubError):
    """This student's data must not be processed: {state}."""

    kind = Kind.CONFLICT


class CallReused(HubError):
    """This idempotency key was used with other arguments."""

    kind = Kind.CONFLICT


class WrongStatus(HubError):
    """An intervention that is {status} cannot {action}."""

    kind = Kind.CONFLICT


class Outdated(HubError):
    """The intervention was changed meanwhile: it is at version {version}."""

    kind = Kind.CONFLICT
