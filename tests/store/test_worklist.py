"""A lane is held by one worker at a time, its rows are worked on in order, and who lost the lane changes nothing."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy.exc import StatementError

from integration.procedure.effects import CallPortal, PostNote, SendMail, ShowOnIssue
from integration.procedure.events import Entry, IssueMended, Paused
from integration.procedure.facts import SERVICE, IssueLinked
from integration.store import Batch, CaseRow, Delivery, InboxRow, LeaseLost, NoteMade, OutboxRow, Store, Turn

LEASE = timedelta(minutes=5)


def arrive(store: Store, key: str, lane: str = "SI-2026-000001") -> None:
    store.keep(Delivery("gitlab", key, lane, key.encode()))


def opened(store: Store) -> str:
    return store.submit(Delivery("portal", "form", "", b"form"), "SI", 2026).answer["tiket"]


def queue(store: Store, *effects) -> Turn:
    """A case whose form was worked on and led to these effects; its lane is held."""
    opened(store)
    turn = store.claim(lease=LEASE)
    store.commit(turn, store.next(turn), Batch(effects=effects))
    return turn


def test_nothing_is_due_in_an_empty_store(store):
    assert store.claim(lease=LEASE) is None


def test_a_lane_held_is_nobody_elses(store):
    arrive(store, "a")
    turn = store.claim(lease=LEASE)
    assert turn.lane == "SI-2026-000001"
    assert store.claim(lease=LEASE) is None
    arrive(store, "b", "SI-2026-000002")
    assert store.claim(lease=LEASE).lane == "SI-2026-000002"


def test_the_lane_that_waited_longest_comes_first(store, watch):
    for lane in ("C", "A", "B"):
        arrive(store, lane, lane)
        watch.move(seconds=1)
    assert [store.claim(lease=LEASE).lane for _ in range(3)] == ["C", "A", "B"]


def test_rows_of_a_lane_come_in_order_and_an_attempt_is_counted_before_it_is_made(store):
    arrive(store, "a")
    arrive(store, "b")
    turn = store.claim(lease=LEASE)
    first = store.next(turn)
    assert (first.key, first.body, first.attempts) == ("a", b"a", 1)
    assert store.next(turn).attempts == 2
    store.commit(turn, first, Batch(result="tidak berlaku"))
    assert store.next(turn).key == "b"
    assert [row.result for row in store.inbox_rows(state="done")] == ["tidak berlaku"]


def test_a_released_lane_is_due_again_only_with_work(store):
    arrive(store, "a")
    turn = store.claim(lease=LEASE)
    store.release(turn)
    turn = store.claim(lease=LEASE)
    store.commit(turn, store.next(turn), Batch())
    assert store.next(turn) is None
    store.release(turn)
    assert store.claim(lease=LEASE) is None


def test_what_arrives_while_the_lane_is_held_wakes_it_after_release(store):
    arrive(store, "a")
    turn = store.claim(lease=LEASE)
    store.commit(turn, store.next(turn), Batch())
    arrive(store, "b")
    store.release(turn)
    assert store.next(store.claim(lease=LEASE)).key == "b"


def test_a_postponed_inbox_row_holds_up_the_younger_ones_until_its_time(store, watch):
    arrive(store, "a")
    arrive(store, "b")
    turn = store.claim(lease=LEASE)
    store.postpone(turn, store.next(turn), until=watch() + timedelta(seconds=30), error="time-out")
    assert store.next(turn) is None
    store.release(turn)
    assert store.claim(lease=LEASE) is None
    watch.move(seconds=30)
    row = store.next(store.claim(lease=LEASE))
    assert (row.key, row.attempts, row.error) == ("a", 2, "time-out")


def test_a_parked_row_holds_up_its_lane_and_no_other(store):
    arrive(store, "a")
    arrive(store, "b")
    turn = store.claim(lease=LEASE)
    store.park(turn, store.next(turn), "no such project\x00")
    assert store.next(turn) is None
    store.release(turn)
    arrive(store, "c")
    turn = store.claim(lease=LEASE)
    assert store.next(turn) is None
    store.release(turn)
    arrive(store, "d", "SI-2026-000002")
    assert store.claim(lease=LEASE).lane == "SI-2026-000002"
    (parked,) = store.inbox_rows(state="parked")
    assert (parked.key, parked.error) == ("a", "no such project\\0")


def test_a_replayed_row_has_all_its_tries_again_but_is_no_first_one(store, watch):
    arrive(store, "a")
    for _ in range(4):
        turn = store.claim(lease=LEASE)
        row = store.next(turn)
        store.postpone(turn, row, until=watch(), error="not now")
        store.release(turn)
    turn = store.claim(lease=LEASE)
    row = store.next(turn)
    assert row.attempts == 5
    store.park(turn, row, "no such project")
    store.release(turn)
    assert store.replay("inbox", row.id)
    assert not store.replay("inbox", row.id)
    assert not store.replay("outbox", row.id)
    again = store.next(store.claim(lease=LEASE))
    assert (again.key, again.attempts) == ("a", 2)


def test_all_parked_rows_of_a_side_are_replayed_at_once_and_no_others(store, watch):
    for number in (1, 2, 3):
        arrive(store, f"a{number}", f"SI-2026-{number:06d}")
        turn = store.claim(lease=LEASE)
        if number < 3:
            store.park(turn, store.next(turn), "403")
        else:
            store.postpone(turn, store.next(turn), until=watch() + timedelta(hours=1), error="503")
        store.release(turn)
    assert store.replay("outbox") == 0
    assert store.replay("inbox") == 2
    assert store.replay("inbox") == 0
    again = [store.claim(lease=LEASE) for _ in range(2)]
    assert sorted(store.next(turn).key for turn in again) == ["a1", "a2"]
    assert store.claim(lease=LEASE) is None


def test_the_inbox_comes_before_the_outbox_and_an_outcome_comes_back_as_a_row(store, watch):
    turn = queue(store, PostNote("note:1", "langkah"), PostNote("note:2", "langkah"))
    row = store.next(turn)
    fact = IssueLinked("linked:7", watch(), SERVICE, 7, "https://gitlab.example/7")
    store.done(turn, row, outcome=fact, note=NoteMade("note:1", "langkah:4", 501), observed={"iid": 7})
    came_back = store.next(turn)
    assert isinstance(came_back, InboxRow)
    assert (came_back.source, came_back.key) == ("outcome", "SI-2026-000001:linked:7")
    assert store.note_id(turn.lane, "note:1") == store.note_id(turn.lane, "langkah:4") == 501
    assert store.note_id(turn.lane, "note:2") is None
    assert store.observed(turn.lane) == {"iid": 7}
    store.commit(turn, came_back, Batch())
    assert store.next(turn).key == "note:2"


def test_an_outcome_told_twice_is_one_row(store, watch):
    turn = queue(store, PostNote("note:1", "langkah"))
    row = store.next(turn)
    for _ in range(2):
        store.done(turn, row, outcome=IssueLinked("linked:7", watch(), SERVICE, 7, ""))
    assert len(store.inbox_rows()) == 1


def test_a_channel_that_is_down_holds_up_only_itself(store, watch):
    turn = queue(store, CallPortal("portal:1", "status.berubah"), PostNote("note:1", "langkah"), CallPortal("portal:2", "status.berubah"))
    store.postpone(turn, store.next(turn), until=watch() + timedelta(hours=1), error="connection refused")
    note = store.next(turn)
    assert (note.key, note.channel) == ("note:1", "platform")
    store.done(turn, note)
    assert store.next(turn) is None
    store.release(turn)
    watch.move(hours=1)
    turn = store.claim(lease=LEASE)
    again = store.next(turn)
    assert (again.key, again.attempts) == ("portal:1", 2)
    store.done(turn, again)
    assert store.next(turn).key == "portal:2"


def test_effects_go_by_their_channels(store):
    turn = queue(store, PostNote("n", "langkah"), CallPortal("p", "status.berubah"), SendMail("m", "mingguan", ("a@b.example",)))
    rows = store.outbox_rows(lane=turn.lane)
    assert [(row.key, row.channel) for row in reversed(rows)] == [("n", "platform"), ("p", "portal"), ("m", "mail")]
    assert rows[0].effect == SendMail("m", "mingguan", ("a@b.example",))


def test_an_effect_is_queued_once_and_one_waiting_show_is_enough(store):
    turn = queue(store, ShowOnIssue("show:1"), PostNote("n", "langkah"), PostNote("n", "langkah"), ShowOnIssue("show:2"))
    assert [row.key for row in store.outbox_rows()] == ["n", "show:1"]
    store.done(turn, store.next(turn))
    arrive(store, "b")
    store.commit(turn, store.next(turn), Batch(effects=(ShowOnIssue("show:3"),)))
    assert [row.key for row in store.outbox_rows()] == ["show:3", "n"]


def test_a_parked_show_replayed_is_done_by_a_younger_one(store):
    turn = queue(store, ShowOnIssue("show:1"))
    show = store.next(turn)
    store.park(turn, show, "403")
    arrive(store, "b")
    store.commit(turn, store.next(turn), Batch(effects=(ShowOnIssue("show:2"),)))
    store.release(turn)
    assert store.replay("outbox", show.id)
    assert store.next(store.claim(lease=LEASE)).key == "show:2"


def test_a_lease_ends_with_its_time_and_every_call_prolongs_it(store, wall):
    arrive(store, "a")
    turn = store.claim(lease=LEASE)
    wall.move(minutes=4)
    store.next(turn)
    wall.move(minutes=4)
    assert store.claim(lease=LEASE) is None
    wall.move(minutes=1)
    other = store.claim(lease=LEASE)
    assert other.lane == turn.lane
    assert store.next(other).attempts == 2


def test_a_skipped_week_ends_no_lease(store, watch):
    arrive(store, "a")
    store.claim(lease=LEASE)
    watch.move(weeks=1)
    assert store.claim(lease=LEASE) is None


def test_who_lost_the_lane_changes_nothing(store, watch, wall):
    turn = queue(store, PostNote("note:1", "langkah"))
    arrive(store, "b")
    row = store.next(turn)
    wall.move(minutes=6)
    thief = store.claim(lease=LEASE)
    batch = Batch(turn.lane, (Entry(1, watch(), SERVICE, "b", Paused("x")),), (CallPortal("p", "x"),), ("b",))
    effect = OutboxRow(1, turn.lane, "platform", "note:1", "PostNote", {}, watch(), "waiting", 1, watch(), "")
    for change in (
        lambda: store.commit(turn, row, batch),
        lambda: store.done(turn, effect, note=NoteMade("note:1", "", 1)),
        lambda: store.postpone(turn, row, until=watch(), error="x"),
        lambda: store.park(turn, row, "x"),
        lambda: store.move(turn, row, "elsewhere"),
        lambda: store.next(turn),
    ):
        with pytest.raises(LeaseLost):
            change()
    store.release(turn)
    assert store.entries(turn.lane) == []
    assert store.known_causes(turn.lane, ["b"]) == set()
    assert store.note_id(turn.lane, "note:1") is None
    assert [row.key for row in store.outbox_rows()] == ["note:1"]
    (kept,) = store.inbox_rows()
    assert (kept.state, kept.lane, kept.error) == ("waiting", turn.lane, "")
    assert store.next(thief).key == "b"


def test_a_row_is_moved_to_the_lane_it_turned_out_to_concern(store):
    ticket = opened(store)
    turn = store.claim(lease=LEASE)
    store.commit(turn, store.next(turn), Batch())
    store.release(turn)
    arrive(store, "hook", "issue:7")
    turn = store.claim(lease=LEASE)
    store.move(turn, store.next(turn), ticket)
    assert store.next(turn) is None
    store.release(turn)
    turn = store.claim(lease=LEASE)
    assert (turn.lane, store.next(turn).key) == (ticket, "hook")


def test_a_batch_is_all_or_nothing(store, watch):
    ticket = opened(store)
    turn = store.claim(lease=LEASE)
    row = store.next(turn)
    entries = (Entry(1, watch(), SERVICE, "form", Paused("x")), Entry(3, watch(), SERVICE, "form", IssueMended(("labels",))))
    with pytest.raises(ValueError, match="do not follow"):
        store.commit(turn, row, Batch(ticket, entries, (ShowOnIssue("show:1"),), ("form",)))
    with pytest.raises(ValueError, match="cannot be written"):
        store.commit(turn, row, Batch("SI-2026-000009"))
    unknown = CaseRow("SI-2026-000009", "si", "1", "berjalan", 4, "r", None, 1, None, "t", watch(), None)
    with pytest.raises(ValueError, match="never submitted"):
        store.commit(turn, row, Batch(ticket, case_row=unknown))
    assert store.entries(ticket) == []
    assert store.outbox_rows() == []
    assert store.next(turn).attempts == 2


def test_two_processes_with_many_workers_never_hold_one_lane_together_and_lose_nothing(open_store):
    stores = [open_store(), open_store()]
    for n in range(40):
        arrive(stores[0], f"k{n}", f"lane {n % 4}")
    inside: Counter[str] = Counter()
    together, seen = [], []
    counting = threading.Lock()

    def work(n: int) -> None:
        store = stores[n % 2]
        while (turn := store.claim(lease=LEASE)) is not None:
            with counting:
                inside[turn.lane] += 1
                together.append(inside[turn.lane])
            row = store.next(turn)
            if row is not None:
                seen.append((turn.lane, row.key))
                store.commit(turn, row, Batch())
            with counting:
                inside[turn.lane] -= 1
            store.release(turn)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert set(together) == {1}
    assert sorted(key for _, key in seen) == sorted(f"k{n}" for n in range(40))
    for lane in range(4):
        assert [key for held, key in seen if held == f"lane {lane}"] == [f"k{n}" for n in range(lane, 40, 4)]


def test_the_issue_as_seen_is_kept_with_the_batch(store):
    ticket = opened(store)
    turn = store.claim(lease=LEASE)
    store.commit(turn, store.next(turn), Batch(ticket, observed={"labels": ["a"]}))
    assert store.observed(ticket) == {"labels": ["a"]}


def test_a_store_is_busy_while_anything_is_due_or_held(store, watch):
    assert not store.busy()
    arrive(store, "a")
    assert store.busy()
    turn = store.claim(lease=LEASE)
    store.postpone(turn, store.next(turn), until=watch() + timedelta(hours=1), error="time-out")
    assert store.busy()
    store.release(turn)
    assert not store.busy()
    watch.move(hours=1)
    assert store.busy()


def test_a_process_that_is_alone_takes_back_what_a_killed_one_held(store):
    arrive(store, "a")
    lost = store.claim(lease=LEASE)
    store.break_leases()
    assert store.claim(lease=LEASE).lane == lost.lane
    with pytest.raises(LeaseLost):
        store.next(lost)


def test_a_time_without_a_zone_names_no_moment(store, watch):
    arrive(store, "a")
    turn = store.claim(lease=LEASE)
    with pytest.raises(StatementError, match="zone"):
        store.postpone(turn, store.next(turn), until=watch().replace(tzinfo=None), error="")


def test_one_of_several_leads_until_it_falls_silent(open_store, wall):
    first, second = open_store(), open_store()
    assert first.lead("beat", "a", timedelta(seconds=20))
    assert not second.lead("beat", "b", timedelta(seconds=20))
    wall.move(seconds=15)
    assert first.lead("beat", "a", timedelta(seconds=20))
    wall.move(seconds=15)
    assert not second.lead("beat", "b", timedelta(seconds=20))
    wall.move(seconds=6)
    assert second.lead("beat", "b", timedelta(seconds=20))
    assert not first.lead("beat", "a", timedelta(seconds=20))


def test_of_many_that_ask_at_once_one_leads(open_store):
    stores = {name: open_store() for name in "abcd"}
    with ThreadPoolExecutor(len(stores)) as pool:
        assert sum(pool.map(lambda one: one[1].lead("beat", one[0], timedelta(seconds=20)), stores.items())) == 1
