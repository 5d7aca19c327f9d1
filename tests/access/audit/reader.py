"""Reads without end, as a process of its own that a test can kill: `reader.py FOLDER [URL]`.

Prints the request id of each read once it is noted, which is when its answer would leave. With a
URL it also drains into that database meanwhile.
"""

import asyncio
import os
import sys
import uuid
from pathlib import Path

from access.audit.persons import STUDENT, teacher
from student_hub.access.audit.schemas import Action
from student_hub.access.audit.service import Audit
from student_hub.access.audit.spool import Spool
from student_hub.platform.db.database import Database

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


async def run(folder: Path, url: str | None) -> None:
    """Reads as fast as it can, letting the drainer do its rounds."""
    audit = Audit(Database(url or NOWHERE), Spool(folder))
    while True:
        for _ in range(20):
            request_id = uuid.uuid4().hex
            audit.saw(teacher(request_id=request_id), Action.STUDENT_READ, [STUDENT])
            os.write(1, f"{request_id}\n".encode())
        if url:
            await audit.drain()


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None))
