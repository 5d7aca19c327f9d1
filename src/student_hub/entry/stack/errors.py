class StackError(Exception):
    """Something that a person can mend; the text is one sentence to show them."""


class LockHeld(StackError):
    """Another process runs on this data folder."""


class PortTaken(StackError):
    """A port that was asked for is in use."""


_DISK_FULL = (
    "the disk is full (or a quota is reached): free some space; what was stored before is safe"
)
_FULL_SIGNS = ("No space left on device", "Disk quota exceeded")
_CAUSES = (
    *((sign, _DISK_FULL) for sign in _FULL_SIGNS),
    ("Read-only file system", "its data folder lies on a read-only file system"),
    ("Address already in use", "its port was taken by another program meanwhile: start again"),
    ("Bad file format reading the append only file", "its append-only file is damaged"),
    ("could not locate a valid checkpoint record", "its write-ahead log is damaged"),
    ("pre-existing shared memory block", "an older server still runs on the same data"),
    ("Cannot allocate memory", "this machine has too little free memory"),
    ("Input/output error", "the disk reports read or write errors"),
)


def cause_in(output: str) -> str | None:
    """What went wrong, in a person's words, when the output of a program shows a known cause."""
    return next((words for sign, words in _CAUSES if sign.lower() in output.lower()), None)


def tells_of_full_disk(line: str) -> bool:
    """Whether a program that runs on says that it cannot write."""
    return any(sign in line for sign in _FULL_SIGNS)


def failure(name: str, happened: str, output: str) -> StackError:
    """One sentence: who failed, how, and the known cause or else the last lines it wrote."""
    last = " | ".join(line.strip() for line in output.strip().splitlines()[-3:])
    cause = cause_in(output) or (f"it said: {last}" if last else "it said nothing")
    return StackError(f"{name} {happened}: {cause}.")
