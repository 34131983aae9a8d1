"""What holds once everything is at rest, wherever the service died: all that was to be done is there, and nothing of it twice."""

import json
import re
from collections import Counter
from email import message_from_bytes

from integration.procedure.effects import CallPortal, PostNote, SendMail
from integration.store import NumberState, OutboxRow, Store
from sandbox.campus import Campus
from tests.postoffice import PostOffice
from tests.processes import known

MARKER = re.compile(r"<!-- alur:(\S+) -->")
ALL = 100_000  # rows


def nothing_twice(campus: Campus, store: Store, ticket: str) -> None:
    """One issue; every note, paper, number and callback once."""
    case = known(store, ticket)
    issue = campus.issue(ticket)  # exactly one
    assert issue["iid"] == case.iid
    marks = Counter(marks_of(campus, ticket))
    assert [mark for mark, n in marks.items() if n > 1] == []
    effects = [row.effect for row in done(store, ticket)]
    assert [note.key for note in effects if isinstance(note, PostNote) and not note.slot and note.key not in marks] == []
    assert [paper.id for paper in case.documents if not paper.sha256] == []
    current = [paper for paper in case.documents if paper == case.current_paper(paper.document)]
    assert [paper.id for paper in current if issue["description"].count(paper.link) != 1] == []
    numbers = [paper.number for paper in case.documents if paper.number]
    assert len(numbers) == len(set(numbers))
    assert [row for row in store.number_rows() if row.state is not NumberState.ISSUED] == []
    calls = campus.portal.received(ticket)
    assert all(call.verified for call in calls)
    told = {call.id: (call.type, call.data["langkah"]) for call in calls}
    assert len({(call.id, json.dumps([call.type, call.data], sort_keys=True)) for call in calls}) == len(told)
    owed = Counter((call.type, call.data["langkah"]) for call in effects if isinstance(call, CallPortal))
    assert Counter(told.values()) == owed


def mailed_once(post: PostOffice, store: Store) -> None:
    """Each mail that was to be sent came, and what came twice came under one Message-ID."""
    mails = {(message["Message-ID"], message["To"], message["Subject"]) for message in map(message_from_bytes, post.got)}
    owed = [row for row in done(store) if isinstance(row.effect, SendMail)]
    assert len(mails) == len({(to, subject) for _, to, subject in mails}) == len(owed)


def done(store: Store, ticket: str | None = None) -> list[OutboxRow]:
    """What was done, for a case or for all, newest first."""
    return store.outbox_rows(state="done", lane=ticket, limit=ALL)


def marks_of(campus: Campus, ticket: str) -> list[str]:
    """The markers in the notes of the case's issue."""
    return [mark for note in campus.notes(ticket) for mark in MARKER.findall(note)]
