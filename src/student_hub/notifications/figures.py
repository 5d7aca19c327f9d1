"""The figures of notifications, as the process that sent them counts them."""

from student_hub.notifications.schemas import ChannelName, State
from student_hub.platform.observability.metrics import Metrics
from student_hub.platform.observability.tally import Tally, Timings

SECONDS = (0.1, 0.5, 1.0, 5.0, 30.0, 300.0, 3_600.0, 86_400.0)


class NotificationFigures:
    """Counts what became of messages, and how long after they were due they went out."""

    def __init__(self, metrics: Metrics) -> None:
        about = "Messages by channel and how they ended: sent, failed, dead, unknown or held."
        self._ended = Tally("notifications", about, ("channel", "state"))
        about = "Seconds from when a message was due until it was taken."
        self._lag = Timings("notification_lag_seconds", about, ("channel",), SECONDS)
        metrics.add(self._ended)
        metrics.add(self._lag)

    def observe(self, channel: ChannelName, state: State, lag_s: float | None = None) -> None:
        """Counts a message that ended; with its lag when it was taken."""
        self._ended.add(channel.value, state.value)
        if lag_s is not None:
            self._lag.add(max(0.0, lag_s), channel.value)
