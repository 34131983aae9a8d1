"""All workers together keep to what the platform allows a minute, and to every pause it asks for."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from integration.procedure.effects import CallPortal, Effect, OpenIssue, PostNote, ShowOnIssue
from integration.store import Batch, Delivery, OutboxRow, Store
from integration.store.quotas import ALL, NOTES

LEASE = timedelta(minutes=5)


def cases_with(store: Store, *per_case: list[Effect]) -> None:
    """One case for each list of effects its form leads to; nobody holds them."""
    allowed, store.per_minute = store.per_minute, 0
    handed_out = []
    for effects in per_case:
        store.submit(Delivery("portal", secrets.token_hex(4), "", b"form"), "SI", 2026)
        handed_out.append(store.commit(*store.claim(lease=LEASE), Batch(effects=tuple(effects))))
    for work in handed_out:
        store.release(*work)
    store.per_minute = allowed


def note() -> PostNote:
    return PostNote(f"note:{secrets.token_hex(4)}", "cek")


def show() -> ShowOnIssue:
    return ShowOnIssue(f"show:{secrets.token_hex(4)}")


def call() -> CallPortal:
    return CallPortal(f"call:{secrets.token_hex(4)}", "status.berubah")


def handed_out(store: Store) -> list[OutboxRow]:
    """What one worker gets until nothing is due: each row is done as it comes."""
    got = []
    while (claimed := store.claim(lease=LEASE)) is not None:
        work = claimed if claimed[1] is not None else None
        while work is not None:
            got.append(work[1])
            work = store.done(*work)
    return got


def test_no_more_notes_a_minute_than_allowed_and_the_rest_in_the_next(store, watch):
    store.per_minute = 5
    cases_with(store, *[[note()] for _ in range(8)])
    assert len(handed_out(store)) == 5
    assert handed_out(store) == []
    watch.move(seconds=60)
    assert [row.attempts for row in handed_out(store)] == [1, 1, 1]


def test_whoever_is_refused_of_one_kind_asks_for_no_other_in_the_same_transaction(store):
    """Two workers that hold the row of one quota each and wait for the other's would undo what one of them has done."""
    store.per_minute = 1
    cases_with(store, [note()], [note()], [show()])
    turn, row = store.claim(lease=timedelta(minutes=1), onward=True)
    assert row.kind == "PostNote"
    assert store.done(turn, row) is None
    assert store.claim(lease=timedelta(minutes=1))[1].kind == "ShowOnIssue"


def test_workers_spend_one_quota_together(open_store):
    stores = [open_store() for _ in range(4)]
    for each in stores:
        each.per_minute = 10
    cases_with(stores[0], *[[note()] for _ in range(24)])
    with ThreadPoolExecutor(len(stores)) as pool:
        assert sum(len(rows) for rows in pool.map(handed_out, stores)) == 10


def test_issues_and_notes_are_counted_apart_and_nothing_else_is(store):
    store.per_minute = 1
    cases_with(store, [show(), call()], [show(), call()], [OpenIssue("open")], [note()])
    assert sorted(row.kind for row in handed_out(store)) == ["CallPortal"] * 2 + ["OpenIssue", "PostNote"] + ["ShowOnIssue"] * 2


def test_a_pause_the_platform_asks_for_holds_for_all_and_ends(open_store, watch):
    store, other = open_store(), open_store()
    cases_with(store, [note(), call()])
    store.close_quota(ALL, timedelta(seconds=90))
    store.keep(Delivery("gitlab", "hook", "SI-2026-000001", b"{}"))
    assert [row.channel for row in handed_out(other)] == ["portal"]
    watch.move(seconds=91)
    turn, hook = other.claim(lease=LEASE)
    assert (hook.key, hook.attempts) == ("hook", 1)
    _, note_of_case = other.commit(turn, hook, Batch())
    assert note_of_case.kind == "PostNote"


def test_a_pause_of_notes_lets_everything_else_go_on(store):
    cases_with(store, [show(), note()], [OpenIssue("open")])
    store.close_quota(NOTES, timedelta(minutes=1))
    assert sorted(row.kind for row in handed_out(store)) == ["OpenIssue", "ShowOnIssue"]


def test_what_people_did_is_read_while_nothing_more_may_be_written(store):
    store.per_minute = 1
    cases_with(store, [note(), note()])
    store.close_quota(NOTES, timedelta(minutes=10))
    store.keep(Delivery("gitlab", "hook", "SI-2026-000001", b"{}"))
    turn, hook = store.claim(lease=LEASE)
    assert hook.key == "hook"
    assert store.commit(turn, hook, Batch()) is None
    assert store.paused_until() is None


def test_until_when_all_of_us_are_to_leave_the_platform_alone_is_told(store, watch):
    assert store.paused_until() is None
    store.close_quota(ALL, timedelta(minutes=2))
    assert store.paused_until() == watch() + timedelta(minutes=2)
    watch.move(minutes=2)
    assert store.paused_until() is None


def test_a_shorter_pause_does_not_end_a_longer_one(store, watch):
    cases_with(store, [note()])
    store.close_quota(NOTES, timedelta(minutes=10))
    store.close_quota(NOTES, timedelta(seconds=1))
    watch.move(minutes=5)
    assert handed_out(store) == []
