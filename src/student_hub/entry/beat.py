"""The clock: Celery beat, which knows no work but only says that it is time."""

from student_hub.entry.context import broker_url
from student_hub.platform.jobs.carrier import make_celery
from student_hub.platform.observability.logging import configure_logging
from student_hub.platform.settings import Settings


def run_beat(settings: Settings) -> None:
    """Rings every queue each second, and for upkeep each hour, until SIGTERM."""
    configure_logging(settings.log_level, settings.log_format)
    app = make_celery(broker_url(settings))
    schedule = settings.data_dir / "beat-schedule"
    app.start(["beat", f"--schedule={schedule}", "--pidfile=", "--loglevel=WARNING"])
