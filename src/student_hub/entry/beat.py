"""The clock: Celery beat, which knows no work but only says that it is time."""

import structlog
from celery import Celery
from celery.signals import beat_init
from kombu.exceptions import OperationalError

from student_hub.entry.context import broker_url
from student_hub.platform.jobs.carrier import UPKEEP, UPKEEP_EVERY_S, make_celery
from student_hub.platform.jobs.queues import Queue
from student_hub.platform.observability.logging import configure_logging
from student_hub.platform.settings import Settings

log = structlog.get_logger()


def run_beat(settings: Settings) -> None:
    """Says at the start and each minute that it is time for upkeep, until SIGTERM."""
    configure_logging(settings.log_level, settings.log_format)
    app = make_celery(broker_url(settings))

    def begin(**_: object) -> None:
        ask_for_upkeep(app)

    beat_init.connect(begin, weak=False)
    schedule = settings.data_dir / "beat-schedule"
    app.start(["beat", f"--schedule={schedule}", "--pidfile=", "--loglevel=WARNING"])


def ask_for_upkeep(app: Celery) -> None:
    """Asks now; the minute counts from here. A broker that is away makes it the next minute."""
    try:
        app.send_task(
            UPKEEP,
            queue=Queue.LOW_PRIORITY.value,
            expires=UPKEEP_EVERY_S,
            ignore_result=True,
            retry=False,
        )
    except (OperationalError, OSError) as error:
        log.warning("upkeep_not_asked_for", reason=type(error).__name__)
