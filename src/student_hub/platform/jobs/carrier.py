"""Celery as the carrier of workers, queues and the clock; its tasks only say that it is time."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from celery import Celery

from student_hub.platform.jobs.queues import Queue

RING = "student_hub.ring"
UPKEEP = "student_hub.upkeep"
UPKEEP_EVERY_S = 60.0
RING_EVERY_S = 1.0
RING_LIVES_S = 5.0
BROKER_PATIENCE_S = 2.0

T = TypeVar("T")


def make_celery(broker_url: str, result_backend: str | None = None) -> Celery:
    """A Celery app that rings each of the three queues every second, and for upkeep each minute."""
    app = Celery("student_hub", broker=broker_url, backend=result_backend)
    app.conf.update(
        task_queues={queue.value: {"routing_key": queue.value} for queue in Queue},
        task_default_queue=Queue.DEFAULT.value,
        task_ignore_result=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        worker_soft_shutdown_timeout=10.0,
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            "socket_timeout": BROKER_PATIENCE_S,
            "socket_connect_timeout": BROKER_PATIENCE_S,
        },
        beat_schedule=_beat_schedule(),
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


def _beat_schedule() -> dict[str, Any]:
    rings = {f"ring-{queue.value}": _ring_entry(queue) for queue in Queue}
    options = {"queue": Queue.LOW_PRIORITY, "expires": UPKEEP_EVERY_S}
    upkeep = {"task": UPKEEP, "schedule": UPKEEP_EVERY_S, "options": options}
    return {**rings, "upkeep": upkeep}


def _ring_entry(queue: Queue) -> dict[str, Any]:
    options = {"queue": queue.value, "expires": RING_LIVES_S}
    return {"task": RING, "schedule": RING_EVERY_S, "args": [queue.value], "options": options}


class LoopThread:
    """An event loop in a thread of its own: the one loop of a worker process."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Runs the coroutine on the loop and waits for what it returns or raises."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
