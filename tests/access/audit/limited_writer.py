"""Appends lines to a spool while the system lets it write fewer bytes than that.

`limited_writer.py FOLDER`: prints the number of each line that was noted, "away" for each that was
refused, and notes one more when it may write again.
"""

import resource
import sys
from pathlib import Path

from student_hub.access.audit.errors import AuditAway
from student_hub.access.audit.spool import Spool

MOST = 1_000
UNLIMITED = resource.RLIM_INFINITY


def run(folder: Path) -> None:
    """Notes ten lines of 300 bytes within a file of 1,000."""
    spool = Spool(folder)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST, UNLIMITED))
    for number in range(10):
        note(spool, number)
    resource.setrlimit(resource.RLIMIT_FSIZE, (UNLIMITED, UNLIMITED))
    note(spool, 10)


def note(spool: Spool, number: int) -> None:
    """Says what became of the line."""
    try:
        spool.append(f"{number:03}".encode() + b"." * 296 + b"\n")
    except AuditAway:
        sys.stdout.write("away\n")
    else:
        sys.stdout.write(f"{number}\n")


if __name__ == "__main__":
    run(Path(sys.argv[1]))
