"""A lane is held by one worker at a time, its rows are worked on in order, and who lost the lane changes nothing."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy.exc import StatementError

from integration.procedure.effects import CallPortal, PostNote, SendMail, ShowOnIssue
from integration.procedure.events import CaseOpened, Entry, IssueMended, Paused
from integration.procedure.facts import SERVICE, IssueLinked
from integration.store import Batch, CaseRow, Delivery, InboxRow, LeaseLost, NoteMade, OutboxRow, Store, Turn
from tests.core.office import submission

LEASE = timedelta(minutes=5)


def arrive(store: Store, key: str, lane: str = "SI-2026-000001") -> None:
    store.keep(Delivery("gitlab", key, lane, key.encode()))


def opened(store: Store) -> str:
    return store.submit(Delivery("portal", "form", "", b"form"), "SI", 2026).answer["tiket"]


def queue(store: Store, *effects) -> tuple[Turn, OutboxRow]:
    """A case whose form was worked on and led to these effects; its lane is held, the first of them handed out."""
    opened(store)
    return store.commit(*store.claim(lease=LEASE), Batch(effects=effects))


def test_nothing_is_due_in_an_empty_store(store):
    assert store.claim(lease=LEASE) is None


def test_a_lane_held_is_nobody_elses(store):
    arrive(store, "a")
    turn, _ = store.claim(lease=LEASE)
    assert turn.lane == "SI-2026-000001"
    assert store.claim(lease=LEASE) is None
    arrive(store, "b", "SI-2026-000002")
    assert store.claim(lease=LEASE)[0].lane == "SI-2026-000002"


def test_the_lane_that_waited_longest_comes_first(store, watch):
    for lane in ("C", "A", "B"):
        arrive(store, lane, lane)
        watch.move(seconds=1)
    assert [store.claim(lease=LEASE)[0].lane for _ in range(3)] == ["C", "A", "B"]


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_lane_that_somebody_is_about_to_hold_is_passed_over_and_not_waited_for(open_store, watch):
    first, second = open_store(), open_store()
    for lane in ("A", "B"):
        arrive(first, lane, lane)
        watch.move(seconds=1)
    with first._write() as connection:  # noqa: SLF001 -- the moment before a claim is committed is nobody else's business
        assert first._claimed(connection, LEASE, onward=False).lane == "A"  # noqa: SLF001
        assert second.claim(lease=LEASE)[0].lane == "B"
        assert second.claim(lease=LEASE) is None


def test_rows_of_a_lane_come_in_order_and_an_attempt_is_counted_before_it_is_made(store, wall):
    arrive(store, "a")
    arrive(store, "b")
    _, first = store.claim(lease=LEASE)
    assert (first.key, first.body, first.attempts) == ("a", b"a", 1)
    wall.move(minutes=6)  # whoever held it died
    turn, first = store.claim(lease=LEASE)
    assert first.attempts == 2
    same, second = store.commit(turn, first, Batch(result="tidak berlaku"))
    assert (same, second.key, second.attempts) == (turn, "b", 1)
    assert [row.result for row in store.inbox_rows(state="done")] == ["tidak berlaku"]


def test_a_lane_is_given_back_with_its_last_row_and_due_again_only_with_work(store):
    arrive(store, "a")
    turn, row = store.claim(lease=LEASE)
    store.release(turn, row)
    turn, row = store.claim(lease=LEASE)
    assert store.commit(turn, row, Batch()) is None
    assert not store.busy()
    assert store.claim(lease=LEASE) is None


def test_a_row_given_back_unbegun_was_not_tried(store):
    turn, note = queue(store, PostNote("note:1", "langkah"))
    store.release(turn, note)
    assert store.outbox_rows()[0].attempts == 0
    turn, note = store.claim(lease=LEASE)
    assert note.attempts == 1
    store.release(turn)
    assert store.claim(lease=LEASE)[1].attempts == 2


def test_who_goes_onward_is_handed_the_next_lane_with_the_last_row_of_one(store, watch):
    for lane in ("A", "B"):
        arrive(store, lane, lane)
        watch.move(seconds=1)
    turn, row = store.claim(lease=LEASE, onward=True)
    turn, row = store.commit(turn, row, Batch())
    assert (turn.lane, row.key, row.attempts) == ("B", "B", 1)
    assert store.claim(lease=LEASE) is None
    arrive(store, "a", "A")
    assert store.claim(lease=LEASE)[1].key == "a"
    assert store.commit(turn, row, Batch()) is None
    assert [row.key for row in store.inbox_rows()] == ["a"]


def test_what_arrives_while_the_lane_is_held_is_handed_out_or_wakes_it_later(store):
    arrive(store, "a")
    turn, row = store.claim(lease=LEASE)
    arrive(store, "b")
    turn, row = store.commit(turn, row, Batch())
    assert row.key == "b"
    store.release(turn)
    assert store.claim(lease=LEASE)[1].key == "b"


def test_a_postponed_inbox_row_holds_up_the_younger_ones_until_its_time(store, watch):
    arrive(store, "a")
    arrive(store, "b")
    turn, row = store.claim(lease=LEASE)
    assert store.postpone(turn, row, until=watch() + timedelta(seconds=30), error="time-out") is None
    assert store.claim(lease=LEASE) is None
    watch.move(seconds=30)
    _, row = store.claim(lease=LEASE)
    assert (row.key, row.attempts, row.error) == ("a", 2, "time-out")


def test_a_parked_row_holds_up_its_lane_and_no_other(store):
    arrive(store, "a")
    arrive(store, "b")
    turn, row = store.claim(lease=LEASE)
    assert store.park(turn, row, "no such project\x00") is None
    arrive(store, "c")
    turn, row = store.claim(lease=LEASE)
    assert (turn.lane, row) == ("SI-2026-000001", None)
    assert not store.busy()
    arrive(store, "d", "SI-2026-000002")
    assert store.claim(lease=LEASE)[0].lane == "SI-2026-000002"
    (parked,) = store.inbox_rows(state="parked")
    assert (parked.key, parked.error) == ("a", "no such project\\0")


def test_a_replayed_row_has_all_its_tries_again_but_is_no_first_one(store, watch):
    arrive(store, "a")
    turn, row = store.claim(lease=LEASE)
    for _ in range(4):
        turn, row = store.postpone(turn, row, until=watch(), error="not now")
    assert row.attempts == 5
    assert store.park(turn, row, "no such project") is None
    assert store.replay("inbox", row.id)
    assert not store.replay("inbox", row.id)
    assert not store.replay("outbox", row.id)
    _, again = store.claim(lease=LEASE)
    assert (again.key, again.attempts) == ("a", 2)


def test_all_parked_rows_of_a_side_are_replayed_at_once_and_no_others(store, watch):
    for number in (1, 2, 3):
        arrive(store, f"a{number}", f"SI-2026-{number:06d}")
        turn, row = store.claim(lease=LEASE)
        if number < 3:
            store.park(turn, row, "403")
        else:
            store.postpone(turn, row, until=watch() + timedelta(hours=1), error="503")
    assert store.replay("outbox") == 0
    assert store.replay("inbox") == 2
    assert store.replay("inbox") == 0
    assert sorted(store.claim(lease=LEASE)[1].key for _ in range(2)) == ["a1", "a2"]
    assert store.claim(lease=LEASE) is None


def test_the_inbox_comes_before_the_outbox_and_an_outcome_comes_back_as_a_row(store, watch):
    turn, row = queue(store, PostNote("note:1", "langkah"), PostNote("note:2", "langkah"))
    fact = IssueLinked("linked:7", watch(), SERVICE, 7, "https://gitlab.example/7")
    turn, came_back = store.done(turn, row, outcome=fact, note=NoteMade("note:1", "langkah:4", 501), observed={"iid": 7})
    assert isinstance(came_back, InboxRow)
    assert (came_back.source, came_back.key) == ("outcome", "SI-2026-000001:linked:7")
    assert store.note_id(turn.lane, "note:1") == store.note_id(turn.lane, "langkah:4") == 501
    assert store.note_id(turn.lane, "note:2") is None
    assert store.observed(turn.lane) == {"iid": 7}
    assert store.commit(turn, came_back, Batch())[1].key == "note:2"


def test_a_message_does_not_overtake_what_was_to_be_done_long_before_it_came(store, watch):
    turn, note = queue(store, PostNote("note:1", "langkah"), PostNote("note:2", "langkah"))
    for key in ("soon", "late"):
        watch.move(seconds=59)
        arrive(store, key)
    store.release(turn, note)
    fact, seen = IssueLinked("linked:7", watch(), SERVICE, 7, ""), []
    work = store.claim(lease=LEASE)
    while work is not None:
        turn, row = work
        seen.append((row.key.rpartition(":")[2], row.attempts))
        outcome = fact if row.key == "note:1" else None
        work = store.commit(turn, row, Batch()) if isinstance(row, InboxRow) else store.done(turn, row, outcome=outcome)
    assert seen == [("soon", 1), ("1", 1), ("late", 1), ("7", 1), ("2", 1)]


def test_what_must_wait_anyway_is_overtaken(store, watch):
    turn, note = queue(store, PostNote("note:1", "langkah"))
    store.postpone(turn, note, until=watch() + timedelta(hours=1), error="503")
    watch.move(minutes=2)
    arrive(store, "late")
    assert store.claim(lease=LEASE)[1].key == "late"


def test_an_outcome_told_twice_is_one_row(store, watch):
    turn, row = queue(store, PostNote("note:1", "langkah"))
    for _ in range(2):
        store.done(turn, row, outcome=IssueLinked("linked:7", watch(), SERVICE, 7, ""))
    assert len(store.inbox_rows()) == 1


def test_a_channel_that_is_down_holds_up_only_itself(store, watch):
    turn, call = queue(
        store, CallPortal("portal:1", "status.berubah"), PostNote("note:1", "langkah"), CallPortal("portal:2", "status.berubah")
    )
    turn, note = store.postpone(turn, call, until=watch() + timedelta(hours=1), error="connection refused")
    assert (note.key, note.channel) == ("note:1", "platform")
    assert store.done(turn, note) is None
    watch.move(hours=1)
    turn, again = store.claim(lease=LEASE)
    assert (again.key, again.attempts) == ("portal:1", 2)
    assert store.done(turn, again)[1].key == "portal:2"


def test_effects_go_by_their_channels(store):
    turn, _ = queue(store, PostNote("n", "langkah"), CallPortal("p", "status.berubah"), SendMail("m", "mingguan", ("a@b.example",)))
    rows = store.outbox_rows(lane=turn.lane)
    assert [(row.key, row.channel.split(":")[0]) for row in reversed(rows)] == [("n", "platform"), ("p", "portal"), ("m", "mail")]
    assert rows[0].effect == SendMail("m", "mingguan", ("a@b.example",))


def test_an_address_that_is_refused_holds_up_nobody_else_s_mail(store):
    mails = [SendMail(f"m{n}", "mingguan", (address,)) for n, address in enumerate(("gone@b.example", "a@b.example", "gone@b.example"))]
    turn, mail = queue(store, *mails)
    turn, other = store.park(turn, mail, "550")
    assert (mail.key, other.key) == ("m0", "m1")
    assert store.done(turn, other) is None


def test_an_effect_is_queued_once_and_one_waiting_show_is_enough(store):
    turn, show = queue(store, ShowOnIssue("show:1"), PostNote("n", "langkah"), PostNote("n", "langkah"), ShowOnIssue("show:2"))
    assert [row.key for row in store.outbox_rows()] == ["n", "show:1"]
    arrive(store, "b")
    turn, hook = store.done(turn, show)
    store.commit(turn, hook, Batch(effects=(ShowOnIssue("show:3"),)))
    assert [row.key for row in store.outbox_rows()] == ["show:3", "n"]


def test_a_parked_show_replayed_is_done_by_a_younger_one(store):
    turn, show = queue(store, ShowOnIssue("show:1"))
    arrive(store, "b")
    turn, hook = store.park(turn, show, "403")
    assert store.commit(turn, hook, Batch(effects=(ShowOnIssue("show:2"),))) is None
    assert store.replay("outbox", show.id)
    assert store.claim(lease=LEASE)[1].key == "show:2"


def test_a_lease_ends_with_its_time_and_every_call_prolongs_it(store, wall):
    arrive(store, "a")
    arrive(store, "b")
    turn, row = store.claim(lease=LEASE)
    wall.move(minutes=4)
    store.commit(turn, row, Batch())
    wall.move(minutes=4)
    assert store.claim(lease=LEASE) is None
    store.hold(turn)
    wall.move(minutes=4)
    assert store.claim(lease=LEASE) is None
    wall.move(minutes=1)
    other, row = store.claim(lease=LEASE)
    assert other.lane == turn.lane
    assert (row.key, row.attempts) == ("b", 2)


def test_a_skipped_week_ends_no_lease(store, watch):
    arrive(store, "a")
    store.claim(lease=LEASE)
    watch.move(weeks=1)
    assert store.claim(lease=LEASE) is None


def test_who_lost_the_lane_changes_nothing(store, watch, wall):
    turn, note = queue(store, PostNote("note:1", "langkah"))
    arrive(store, "b")
    (row,) = store.inbox_rows()
    wall.move(minutes=6)
    thief, stolen = store.claim(lease=LEASE)
    batch = Batch(turn.lane, (Entry(1, watch(), SERVICE, "b", Paused("x")),), (CallPortal("p", "x"),), ("b",))
    for change in (
        lambda: store.commit(turn, row, batch),
        lambda: store.done(turn, note, note=NoteMade("note:1", "", 1)),
        lambda: store.postpone(turn, row, until=watch(), error="x"),
        lambda: store.park(turn, row, "x"),
        lambda: store.move(turn, row, "elsewhere"),
        lambda: store.hold(turn),
    ):
        with pytest.raises(LeaseLost):
            change()
    store.release(turn, row)
    assert store.entries(turn.lane) == []
    assert store.known_causes(turn.lane, ["b"]) == set()
    assert store.note_id(turn.lane, "note:1") is None
    assert [row.key for row in store.outbox_rows()] == ["note:1"]
    (kept,) = store.inbox_rows()
    assert (kept.state, kept.lane, kept.error, kept.attempts) == ("waiting", turn.lane, "", 1)
    assert (stolen.key, store.commit(thief, stolen, Batch())[1].key) == ("b", "note:1")


def test_a_row_is_moved_to_the_lane_it_turned_out_to_concern(store):
    ticket = opened(store)
    assert store.commit(*store.claim(lease=LEASE), Batch()) is None
    arrive(store, "hook", "issue:7")
    assert store.move(*store.claim(lease=LEASE), ticket) is None
    turn, row = store.claim(lease=LEASE)
    assert (turn.lane, row.key) == (ticket, "hook")


def test_a_batch_is_all_or_nothing(store, watch, wall):
    ticket = opened(store)
    turn, row = store.claim(lease=LEASE)
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
    wall.move(minutes=6)
    assert store.claim(lease=LEASE)[1].attempts == 2


def test_a_ledger_is_read_once_a_turn_and_known_with_all_that_is_added(store, watch, wall):
    ticket = opened(store)
    arrive(store, "b", ticket)
    turn, form = store.claim(lease=LEASE)
    assert store.known(turn).case is None
    happened = CaseOpened(ticket, "pos-si", "V/2025", submission()), Paused("x")
    entries = tuple(Entry(seq, watch(), SERVICE, "form", event) for seq, event in enumerate(happened, 1))
    turn, hook = store.commit(turn, form, Batch(ticket, entries[:1]))
    assert store.known(turn).entries == entries[:1]
    with pytest.raises(ValueError, match="do not follow"):
        store.commit(turn, hook, Batch(ticket, entries))
    assert store.known(turn).entries == entries[:1]
    store.commit(turn, hook, Batch(ticket, entries[1:]))
    assert store.known(turn).case.paused_since == watch()
    arrive(store, "c", ticket)
    another, _ = store.claim(lease=LEASE)
    assert store.known(another) == store.known(turn)
    assert store.verify() == []


def test_two_processes_with_many_workers_never_hold_one_lane_together_and_lose_nothing(open_store):
    stores = [open_store(), open_store()]
    for n in range(40):
        arrive(stores[0], f"k{n}", f"lane {n % 4}")
    inside: Counter[str] = Counter()
    together, seen = [], []
    counting = threading.Lock()

    def work(n: int) -> None:
        store = stores[n % 2]
        work = store.claim(lease=LEASE, onward=True)
        while work is not None:
            turn, row = work
            with counting:
                inside[turn.lane] += 1
                together.append(inside[turn.lane])
                seen.append((turn.lane, row.key))
            with counting:
                inside[turn.lane] -= 1
            work = store.commit(turn, row, Batch()) or store.claim(lease=LEASE, onward=True)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert set(together) == {1}
    assert sorted(key for _, key in seen) == sorted(f"k{n}" for n in range(40))
    for lane in range(4):
        assert [key for held, key in seen if held == f"lane {lane}"] == [f"k{n}" for n in range(lane, 40, 4)]


def test_the_issue_as_seen_is_kept_with_the_batch(store):
    ticket = opened(store)
    store.commit(*store.claim(lease=LEASE), Batch(ticket, observed={"labels": ["a"]}))
    assert store.observed(ticket) == {"labels": ["a"]}


def test_a_store_is_busy_while_anything_is_due_or_held(store, watch):
    assert not store.busy()
    arrive(store, "a")
    assert store.busy()
    turn, row = store.claim(lease=LEASE)
    assert store.busy()
    store.postpone(turn, row, until=watch() + timedelta(hours=1), error="time-out")
    assert not store.busy()
    watch.move(hours=1)
    assert store.busy()


def test_a_process_that_is_alone_takes_back_what_a_killed_one_held(store):
    arrive(store, "a")
    lost, _ = store.claim(lease=LEASE)
    store.break_leases()
    assert store.claim(lease=LEASE)[0].lane == lost.lane
    with pytest.raises(LeaseLost):
        store.hold(lost)


def test_a_time_without_a_zone_names_no_moment(store, watch):
    arrive(store, "a")
    turn, row = store.claim(lease=LEASE)
    with pytest.raises(StatementError, match="zone"):
        store.postpone(turn, row, until=watch().replace(tzinfo=None), error="")


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
