"""What the service asks of the platform while nobody does anything: an hour and a night, in a world whose time is ours.

`make bench` runs it, and it fails where an idle hour asks more than MOST.
"""

from collections import Counter
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sync.beat import SWEEP_EVERY
from tests.stories.world import World, world

MOST = 240
"""Requests an idle hour may ask: four a minute, so that a thousand idle campuses on one GitLab are 67 a second."""

OPEN = (0, 10)
"""Cases that are open meanwhile."""


def test_an_idle_hour_asks_little_of_the_platform_however_many_cases_are_open(tmp_path: Path) -> None:
    table = Table(title="Requests to the platform while nobody does anything")
    for column in ("open cases", "an hour", "of them GET", "besides, once a night"):
        table.add_column(column, justify="right")
    hours = []
    for n in OPEN:
        folder = tmp_path / str(n)
        folder.mkdir()
        with world(folder, f"sqlite:///{folder / 'alur.db'}") as told:
            for _ in range(n):
                told.submit()
            idle(told, 10)  # what the forms led to is over
            hour = idle(told, 60)
            told.clock.advance(timedelta(days=1))
            idle_night = idle(told, 1).total() - hour.total() // 60
        hours.append(hour.total())
        table.add_row(str(n), str(hour.total()), str(hour["GET"]), str(idle_night))
    Console().print("\n", table)
    assert max(hours) <= MOST


def idle(told: World, minutes: int) -> Counter[str]:
    """Let time pass as the clock and the sweep see it; gives how many requests of each method the platform got."""
    before = len(told.campus.gitlab.requests)
    for _ in range(minutes):
        told.clock.advance(timedelta(seconds=SWEEP_EVERY))
        told.service.tick()  # more often it would find the same, and the clock asks the platform nothing
        told.service.sweep()
        told.settle()
    return Counter(request.method for request in told.campus.gitlab.requests[before:])
