"""The working loop: rows are worked in order, failures set them aside, and a stop loses nothing."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from integration.faults import LONGEST_PAUSE, Failure, Permanent, RateLimited, Transient, pause
from integration.figures import LEFT
from integration.procedure.effects import PostNote
from integration.store import ALL, Batch, Delivery, InboxRow, LeaseLost, OutboxRow, Store, StoreDown, Turn, Work
from sync.drain import LAST_TRY, Asking, Drain


class Hands:
    """Works rows as it is told: each key's next doing, or plainly done."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.seen: list[tuple[str, int]] = []
        self.doings: dict[str, list[Callable[[], object]]] = {}

    def process(self, turn: Turn, row: InboxRow) -> Work | None:
        self._do(row)
        return self.store.commit(turn, row, Batch(effects=(PostNote(f"note:{row.key}", "langkah"),)))

    def perform(self, turn: Turn, row: OutboxRow) -> Work | None:
        self._do(row)
        return self.store.done(turn, row)

    def _do(self, row: InboxRow | OutboxRow) -> None:
        self.seen.append((row.key, row.attempts))
        for doing in self.doings.get(row.key, [])[:1]:
            self.doings[row.key].pop(0)
            doing()


def failing(fault: Exception) -> Callable[[], object]:
    def fail() -> None:
        raise fault

    return fail


@pytest.fixture
def hands(store) -> Hands:
    return Hands(store)


@pytest.fixture
def drain(store, hands) -> Drain:
    return Drain(store, hands, hands)


def arrive(store: Store, *keys: str, lane: str = "SI-2026-000001") -> None:
    for key in keys:
        store.keep(Delivery("gitlab", key, lane, key.encode()))


def test_all_that_is_due_is_worked_lane_by_lane(store, drain, hands):
    arrive(store, "a", "b")
    arrive(store, "c", lane="SI-2026-000002")
    assert drain.until_idle() == 6
    assert hands.seen == [(key, 1) for key in ("a", "b", "note:a", "note:b", "c", "note:c")]
    assert not drain.until_idle()


def test_somebody_who_writes_again_and_again_is_answered_all_the_same(store, drain, hands, watch):
    def and_again(n: int) -> None:
        watch.move(seconds=5)
        arrive(store, f"{n + 1}")

    arrive(store, "0")
    hands.doings = {f"{n}": [partial(and_again, n)] for n in range(30)}
    drain.until_idle()
    assert len(hands.seen) == 62
    assert hands.seen.index(("note:0", 1)) < hands.seen.index(("15", 1))


def test_what_may_work_later_is_tried_after_growing_pauses(store, drain, hands, watch):
    arrive(store, "a")
    hands.doings["a"] = [failing(Transient("time-out"))] * 3
    for attempt in (1, 2, 3):
        drain.until_idle()
        assert hands.seen == [("a", n) for n in range(1, attempt + 1)]
        assert store.inbox_rows()[0].due_at - watch() == timedelta(seconds=2**attempt)
        watch.now = store.inbox_rows()[0].due_at
    drain.until_idle()
    assert hands.seen[3:] == [("a", 4), ("note:a", 1)]


def test_a_pause_the_other_side_asks_for_is_kept_to_but_not_for_ever(store, drain, hands, watch):
    arrive(store, "a")
    hands.doings["a"] = [
        failing(Transient("429", retry_after=timedelta(seconds=60))),
        failing(Transient("429", retry_after=timedelta(days=9))),
        failing(Transient("429", retry_after=timedelta())),
        failing(Transient("503", Failure.DOWN, retry_after=timedelta(seconds=1))),
        failing(Transient("503", Failure.PORTAL_DOWN, retry_after=timedelta(seconds=60))),
    ]
    for kept in (timedelta(seconds=60), timedelta(hours=1), timedelta(seconds=1), pause(4), timedelta(seconds=60)):
        drain.until_idle()
        assert store.inbox_rows()[0].due_at - watch() == kept
        watch.now = store.inbox_rows()[0].due_at


def test_when_the_platform_has_had_enough_all_its_rows_wait_and_not_only_the_one_that_met_it(store, drain, hands, watch):
    arrive(store, "a")
    arrive(store, "b", lane="SI-2026-000002")
    hands.doings["a"] = [failing(RateLimited("429", retry_after=timedelta(seconds=60), of=ALL))]
    drain.until_idle()
    assert hands.seen == [("a", 1)]
    assert not store.busy()
    watch.move(seconds=60)
    drain.until_idle()
    assert hands.seen[1:] == [("a", 2), ("note:a", 1), ("b", 1), ("note:b", 1)]


def test_what_waits_because_the_platform_has_had_enough_says_so(store, drain, hands, watch):
    arrive(store, "a")
    arrive(store, "b", lane="SI-2026-000002")
    hands.doings["a"] = [failing(RateLimited("429", retry_after=timedelta(seconds=60), of=ALL))]
    drain.until_idle()
    (other,) = store.inbox_rows(lane="SI-2026-000002")
    assert (other.due_at - watch(), other.attempts, other.failure) == (timedelta(seconds=60), 0, "limit")


def test_what_will_not_work_is_parked_with_its_reason_and_the_others_go_on(store, drain, hands):
    arrive(store, "a", "b")
    arrive(store, "c", lane="SI-2026-000002")
    hands.doings["a"] = [failing(Permanent("403: the bot may not write here", Failure.RIGHTS))]
    drain.until_idle()
    assert [key for key, _ in hands.seen] == ["a", "c", "note:c"]
    (parked,) = store.inbox_rows(state="parked")
    assert (parked.key, parked.error, parked.failure) == ("a", "403: the bot may not write here", "rights")
    store.replay("inbox", parked.id)
    drain.until_idle()
    assert [key for key, _ in hands.seen[3:]] == ["a", "b", "note:a", "note:b"]
    assert {(row.error, row.failure) for row in store.inbox_rows(state="done")} == {("", "")}


def test_what_this_release_cannot_read_is_left_to_a_colleague_of_another_for_a_while(store, drain, hands, watch):
    arrive(store, "a")
    hands.doings["a"] = [failing(Permanent("Baru is unknown to this release", Failure.UNREADABLE))] * LAST_TRY
    for _ in range(LAST_TRY):
        assert store.inbox_rows(state="parked") == []
        drain.until_idle()
        watch.move(hours=1)
    (parked,) = store.inbox_rows(state="parked")
    assert (parked.error, parked.failure) == ("Baru is unknown to this release", "unreadable")


def test_a_fault_of_the_programme_is_parked_after_its_last_try_with_its_traceback(store, drain, hands, watch):
    arrive(store, "a")
    drain.until_idle()
    hands.doings["note:b"] = [failing(ZeroDivisionError("by zero"))] * LAST_TRY
    arrive(store, "b")
    for _ in range(LAST_TRY):
        assert store.outbox_rows(state="parked") == []
        drain.until_idle()
        watch.move(hours=1)
    (parked,) = store.outbox_rows(state="parked")
    assert parked.attempts == LAST_TRY
    assert "ZeroDivisionError: by zero" in parked.error
    assert "Traceback" in parked.error
    assert parked.failure == "programme"


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        (Transient("503", Failure.DOWN), "down"),
        (Transient("?"), "other"),
        (OSError("no space left"), "system"),
        (KeyError("x"), "programme"),
    ],
)
def test_what_waits_says_of_what_kind_its_failure_was(store, drain, hands, fault, failure):
    arrive(store, "a")
    hands.doings["a"] = [failing(fault)]
    drain.until_idle()
    (row,) = store.inbox_rows()
    assert (row.state, row.failure) == ("waiting", failure)


def test_attempts_beyond_the_first_are_counted_by_side_once_nothing_is_left_to_do(store, drain, hands, watch):
    arrive(store, "a")
    hands.doings = {"a": [failing(Transient("time-out"))] * 2, "note:a": [failing(Transient("time-out"))]}
    for _ in range(4):
        drain.until_idle()
        watch.move(hours=1)
    assert store.inbox_rows() == store.outbox_rows() == []
    assert store.counts() == {"retries:inbox": 2, "retries:outbox": 1}


def test_a_stop_tells_the_store_what_was_counted(store, drain, hands):
    arrive(store, "a")
    hands.doings["a"] = [lambda: drain.tally.add(LEFT), drain.stop.set]
    drain.until_idle()
    drain.stop.set()
    assert drain.until_idle() == 0
    assert store.counts() == {"drift_left": 1}


def test_a_lane_taken_over_is_left_alone(store, drain, hands, wall):
    arrive(store, "a", "b")
    taken: list[object] = []

    def sleep_too_long() -> None:
        wall.move(minutes=10)
        taken.extend(store.claim(lease=timedelta(minutes=10)))

    hands.doings["a"] = [sleep_too_long]
    assert drain.until_idle() == 1
    assert hands.seen == [("a", 1)]
    turn, row = taken
    assert (row.key, row.attempts) == ("a", 2)
    assert store.commit(turn, row, Batch())[1].key == "b"


def test_a_lease_lost_is_no_fault_of_the_row(store, drain, hands):
    arrive(store, "a")
    hands.doings["a"] = [failing(LeaseLost("SI-2026-000001"))]
    assert drain.until_idle() == 1
    assert (store.inbox_rows()[0].state, store.inbox_rows()[0].error) == ("waiting", "")


def test_a_store_that_is_down_is_told_and_the_row_stays(store, drain, hands, wall):
    arrive(store, "a")
    hands.doings["a"] = [failing(StoreDown("locked"))]
    with pytest.raises(StoreDown):
        drain.until_idle()
    assert not drain.until_idle()
    wall.move(minutes=2)
    assert drain.until_idle() == 2
    assert hands.seen == [("a", 1), ("a", 2), ("note:a", 1)]


def test_a_stop_ends_the_work_after_the_row_in_hand_and_gives_the_lane_back(store, drain, hands):
    arrive(store, "a", "b")
    hands.doings["a"] = [drain.stop.set]
    assert drain.until_idle() == 1
    assert hands.seen == [("a", 1)]
    assert not drain.until_idle()
    drain.stop.clear()
    drain.until_idle()
    assert hands.seen == [(key, 1) for key in ("a", "b", "note:a", "note:b")]


def test_who_has_worked_long_enough_gives_the_lane_back_and_calls_a_colleague(store, hands):
    arrive(store, "a", "b")
    rung: list[int] = []
    drain = Drain(store, hands, hands, ring=lambda: rung.append(len(hands.seen)))
    assert drain.until_idle(0) == 0
    assert (rung, store.inbox_rows()[1].attempts) == ([0], 0)
    drain.until_idle()
    assert rung == [0]
    assert hands.seen == [(key, 1) for key in ("a", "b", "note:a", "note:b")]
    drain.until_idle()
    assert rung == [0]


def test_a_colleague_is_called_where_more_is_due_than_was_begun_with(store, hands):
    rung: list[int] = []
    drain = Drain(store, hands, hands, ring=lambda: rung.append(len(hands.seen)))
    arrive(store, "a")
    drain.until_idle()
    assert rung == [], "one lane is due, and it is in hand"
    arrive(store, "b")
    arrive(store, "c", lane="SI-2026-000002")
    drain.until_idle()
    assert rung == [2]
    arrive(store, "d", lane="SI-2026-000002")
    turn, _ = store.claim(lease=timedelta(minutes=1))
    arrive(store, "e")
    drain.until_idle()
    assert rung == [2], "the other lane is in somebody's hand"
    store.release(turn)


def test_a_colleague_is_called_again_where_more_becomes_due_meanwhile(store, hands, monkeypatch):
    monkeypatch.setattr("sync.drain.LOOKS", 0.0)
    rung: list[int] = []
    drain = Drain(store, hands, hands, ring=lambda: rung.append(len(hands.seen)))
    hands.doings["note:a"] = [lambda: arrive(store, "b", lane="SI-2026-000002"), lambda: arrive(store, "c", lane="SI-2026-000003")]
    arrive(store, "a")
    arrive(store, "d")
    hands.doings["d"] = [lambda: arrive(store, "e", lane="SI-2026-000004")]
    drain.until_idle()
    assert rung
    assert rung[0] > 1, "at first one lane was due"


def test_who_waited_long_to_ask_proves_the_lane_first_and_asks_nothing_about_one_that_was_lost(store, monkeypatch):
    asking = Asking(store, threading.RLock())
    with asking, asking:
        pass  # about no lane: there is nothing to prove
    arrive(store, "a")
    turn, _ = store.claim(lease=timedelta(seconds=1))
    asking.about(turn)
    monkeypatch.setattr("sync.drain.STALE", timedelta(0))
    store.wall.move(seconds=0.9)
    with asking:
        store.wall.move(seconds=0.9)
        assert store.claim(lease=timedelta(seconds=1)) is None, "it was prolonged"
    store.wall.move(seconds=1)
    assert store.claim(lease=timedelta(seconds=1)) is not None
    with pytest.raises(LeaseLost), asking:
        pytest.fail("the lane is somebody else's")
    monkeypatch.setattr("sync.drain.STALE", timedelta(hours=1))
    with asking:
        pass  # the other one is not kept waiting


def test_pauses_double_up_to_the_longest():
    assert [pause(n).total_seconds() for n in (0, 1, 2, 3, 4)] == [2, 2, 4, 8, 16]
    assert pause(1000) == LONGEST_PAUSE
