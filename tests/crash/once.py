"""What holds once everything is at rest, wherever the service died: all that was to be done is there, and nothing of it twice.

Two things cannot be done in one with the commit that remembers them, and so are done once more by the life that follows a death in between:
a message is handed over (mail, callback), and a file is uploaded. The message is the same to the byte, under the id by which whoever gets
it knows it (Message-ID, webhook-id). The upload before is linked nowhere; by its name it is found when the case's data is erased.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from email import message_from_bytes, policy
from itertools import takewhile
from typing import Any

from integration.procedure.effects import CallPortal, OpenIssue, PostNote, SendMail
from integration.store import NumberState, OutboxRow, Store
from sandbox.campus import Campus
from tests.postoffice import PostOffice
from tests.processes import known

MARKER = re.compile(r"<!-- alur:(\S+) -->")
UPLOAD = re.compile(r"/uploads/[0-9a-f]{32}/[\w.+-]+")
ALL = 100_000  # rows


def nothing_twice(campus: Campus, store: Store, ticket: str) -> None:
    """One issue; every note, paper, number, callback and linked file once."""
    case = known(store, ticket)
    issue = campus.issue(ticket)  # exactly one
    assert issue["iid"] == case.iid
    marks = marks_of(campus, ticket)
    assert several(marks) == []
    effects = [row.effect for row in done(store, ticket)]
    on_this_issue = takewhile(lambda effect: not isinstance(effect, OpenIssue), effects)  # notes on one that was deleted are gone
    assert [note.key for note in on_this_issue if isinstance(note, PostNote) and not note.slot and note.key not in marks] == []
    assert [paper.id for paper in case.documents if not paper.sha256] == []
    current = [paper for paper in case.documents if paper == case.current_paper(paper.document)]
    assert [paper.id for paper in current if issue["description"].count(paper.link) != 1] == []
    numbered = {(paper.document, paper.number) for paper in case.documents if paper.number}
    assert [several(column) for column in zip(*numbered, strict=True)] in ([], [[], []])
    assert [row for row in store.number_rows() if row.state is not NumberState.ISSUED] == []
    content, texts = uploads(campus), [issue["description"], *campus.notes(ticket)]
    addresses = {address for text in texts for address in UPLOAD.findall(text) if address in content}
    assert several(content[address] for address in addresses) == []
    called = {call.id: (call.type, call.data["langkah"]) for call in campus.portal.received(ticket)}
    assert Counter(called.values()) == Counter((call.type, call.data["langkah"]) for call in effects if isinstance(call, CallPortal))


def told_once(campus: Campus, store: Store, post: PostOffice) -> None:
    """What came under one id, callback or mail, is the same to the byte, and each mail that was to be sent came.

    A mail of another id says something else, or says it to somebody else or on another day.
    """
    sent: dict[str, set[bytes]] = defaultdict(set)
    for callback in campus.portal.callbacks:
        assert callback.verified
        sent[callback.id].add(callback.body)
    mails = [message_from_bytes(raw, policy=policy.default) for raw in post.got]
    for raw, mail in zip(post.got, mails, strict=True):
        sent[mail["Message-ID"]].add(raw)
    assert [identity for identity, told in sent.items() if len(told) > 1] == []
    said = {
        mail["Message-ID"]: (mail["To"], mail["Subject"], mail["Date"].datetime.date(), mail.get_body(("plain",)).get_content())
        for mail in mails
    }
    assert several(said.values()) == []
    assert len(said) == sum(row.kind == SendMail.__name__ for row in done(store))


def several(things: Iterable[Any]) -> list[Any]:
    """Those that are there more than once."""
    return [thing for thing, n in Counter(things).items() if n > 1]


def uploads(campus: Campus) -> dict[str, bytes]:
    """What the service has uploaded, by address."""
    return {f"/uploads/{one.secret}/{one.filename}": one.content for one in campus.project.uploads if one.user_id == campus.bot.id}


def done(store: Store, ticket: str | None = None) -> list[OutboxRow]:
    """What was done, for a case or for all, newest first."""
    return store.outbox_rows(state="done", lane=ticket, limit=ALL)


def marks_of(campus: Campus, ticket: str) -> list[str]:
    """The markers in the notes of the case's issue."""
    return [mark for note in campus.notes(ticket) for mark in MARKER.findall(note)]
