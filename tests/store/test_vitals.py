"""What is told of how the service is doing: work that waits, hooks that came, recurring work that was done."""

from datetime import timedelta

from integration.store import Delivery
from integration.vitals import NOTED, Diary, Recurring
from tests.store.conftest import MONDAY

LEASE = timedelta(minutes=2)


def test_work_waits_from_when_it_is_due_until_somebody_holds_it(store, watch, wall):
    assert store.waits_since() is None
    store.keep(Delivery("gitlab", "a", "SI-2026-000001", b"{}"))
    watch.move(seconds=30)
    store.keep(Delivery("gitlab", "b", "SI-2026-000002", b"{}"))
    assert store.waits_since() == MONDAY

    first, row = store.claim(lease=LEASE)
    assert store.waits_since() == MONDAY + timedelta(seconds=30)
    store.postpone(first, row, until=watch() + timedelta(hours=1), error="")
    second, row = store.claim(lease=LEASE)
    assert store.waits_since() is None
    wall.move(minutes=3)
    assert store.waits_since() == MONDAY + timedelta(seconds=30), "whoever held it is gone"
    wall.move(minutes=-3)
    store.park(second, row, "")
    assert store.waits_since() is None, "what is parked, or waits for its time, waits for no worker"
    watch.move(hours=2)
    assert store.waits_since() == MONDAY + timedelta(hours=1, seconds=30)


def test_the_last_hook_is_the_newest_message_of_its_source(store, watch):
    assert store.heard("gitlab") is None
    store.keep(Delivery("gitlab", "a", "SI-2026-000001", b"{}"))
    watch.move(minutes=5)
    store.keep(Delivery("clock", "b", "SI-2026-000001", b"{}"))
    assert store.heard("gitlab") == MONDAY


def test_recurring_work_is_written_down_once_in_a_while(store, watch):
    diary, mark = Diary(store), f"terakhir:{Recurring.TICK}"
    assert store.mark(mark) is None
    diary.done(Recurring.TICK)
    watch.move(seconds=NOTED.total_seconds() - 1)
    diary.done(Recurring.TICK)
    assert store.mark(mark) == MONDAY.isoformat()
    watch.move(seconds=1)
    diary.done(Recurring.TICK)
    assert store.mark(mark) == (MONDAY + NOTED).isoformat()
