"""What can go wrong with erasure and export."""

from student_hub.platform.errors import HubError, Kind


class ExportRefused(HubError):
    """A whole export is for administrators, for the student and for their guardians."""

    kind = Kind.FORBIDDEN


class ProofRefused(HubError):
    """The proof of the erasure {erasure_id} is not one that this hub has sealed."""

    kind = Kind.INVALID
