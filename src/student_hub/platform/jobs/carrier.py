"""Celery as the carrier of workers, queues and the clock; its tasks only say that it is time."""

import asyncio
import threading
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import uvloop
from celery import Celery
from celery.signals import worker_shutting_down

from student_hub.platform.jobs.queues import Queue

RING = "student_hub.ring"
UPKEEP = "student_hub.upkeep"
UPKEEP_EVERY_S = 60.0
RING_LIVES_S = 5.0
BROKER_PATIENCE_S = 2.0
QUIET = ("--without-mingle", "--without-gossip", "--without-heartbeat")
THREADS = 2
"""For what is done in a moment: to pass on that a bell rang."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Calls:
    """What a worker process does when it is told something; each returns at once."""

    ring: Callable[[Queue], None]
    upkeep: Callable[[], None]
    leave: Callable[[], None]
    """Called when the process is told to end, from the signal's handler."""


def make_celery(broker_url: str, result_backend: str | None = None) -> Celery:
    """A Celery app for three queues, which says each minute that it is time for upkeep."""
    app = Celery("student_hub", broker=broker_url, backend=result_backend)
    app.conf.update(
        task_queues={queue.value: {"routing_key": queue.value} for queue in Queue},
        task_default_queue=Queue.DEFAULT.value,
        task_ignore_result=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "socket_timeout": BROKER_PATIENCE_S,
            "socket_connect_timeout": BROKER_PATIENCE_S,
        },
        beat_schedule={"upkeep": _upkeep()},
        timezone="Asia/Seoul",
    )
    return app


def bell_press(app: Celery) -> Callable[[Queue], None]:
    """What presses a queue's doorbell: a message without a job id, dropped when it is old."""

    def press(queue: Queue) -> None:
        app.send_task(
            RING,
            args=[queue.value],
            queue=queue.value,
            expires=RING_LIVES_S,
            ignore_result=True,
            retry=False,
        )

    return press


def listen(app: Celery, queues: Collection[Queue], calls: Calls, log_level: str) -> None:
    """Passes on what the broker says about these queues, until SIGTERM.

    A broker that is away is looked for without end; the work itself does not need it.
    """

    def ring(queue: str) -> None:
        calls.ring(Queue(queue))

    def upkeep() -> None:
        calls.upkeep()

    def leaving(**_: object) -> None:
        calls.leave()

    app.task(name=RING)(ring)
    app.task(name=UPKEEP)(upkeep)
    worker_shutting_down.connect(leaving, weak=False)
    names = ",".join(queue.value for queue in queues)
    pool = ("--pool=threads", f"--concurrency={THREADS}")
    app.worker_main(
        ["--quiet", "worker", *pool, f"--queues={names}", f"--loglevel={log_level.upper()}", *QUIET]
    )


def _upkeep() -> dict[str, Any]:
    options = {"queue": Queue.LOW_PRIORITY, "expires": UPKEEP_EVERY_S}
    return {"task": UPKEEP, "schedule": UPKEEP_EVERY_S, "options": options}


class LoopThread:
    """An event loop in a thread of its own: the one loop of a worker process."""

    def __init__(self) -> None:
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Runs the coroutine on the loop and waits for what it returns or raises."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def soon(self, call: Callable[[], None]) -> None:
        """Has the loop make the call; returns at once, also in a signal's handler."""
        self._loop.call_soon_threadsafe(call)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
