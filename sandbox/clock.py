"""A clock that a demo or a story moves: weeks pass in seconds, and never backwards."""

from datetime import UTC, datetime, timedelta


class SimulatedClock:
    """Called, it gives the simulated present (aware, UTC)."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def __call__(self) -> datetime:
        """The simulated present."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Let this much time pass."""
        self.to(self._now + by)

    def to(self, moment: datetime) -> None:
        """Let time pass until `moment`; a moment already past changes nothing."""
        self._now = max(self._now, moment.astimezone(UTC))
