"""The ledger's own lines: each event carries the hash of the one before, so that nothing can be changed, added or left out unseen.

The hash covers the case, the place, the moment, the actor, the cause, the event and the previous hash, as canonical JSON.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.engine import Connection

from integration import codec
from integration.codec import Json
from integration.procedure.events import Entry
from integration.procedure.facts import Actor
from integration.store.rows import CaseRow
from integration.tables import cases, events

ACTOR: TypeAdapter[Actor] = TypeAdapter(Actor)
FIRST = ""  # what the first entry of a case follows


def link(ticket: str, seq: int, at: datetime, said: Json, prev: str) -> str:
    """The hash of one line. `said`: actor, cause, kind and data as they are stored."""
    line = {"ticket": ticket, "seq": seq, "at": at.astimezone(UTC).isoformat(timespec="microseconds"), **said, "prev": prev}
    return hashlib.sha256(codec.canonical(line)).hexdigest()


def append_entries(connection: Connection, ticket: str, entries: Sequence[Entry]) -> None:
    """Write entries after the case's last. ValueError where their numbers do not follow it."""
    if not entries:
        return
    newest = sa.select(events.c.seq, events.c.hash).where(events.c.ticket == ticket).order_by(events.c.seq.desc()).limit(1)
    last = connection.execute(newest).first()
    seq, prev = (last.seq, last.hash) if last is not None else (0, FIRST)
    if [entry.seq for entry in entries] != list(range(seq + 1, seq + 1 + len(entries))):
        raise ValueError(f"{ticket}: entries {entries[0].seq} to {entries[-1].seq} do not follow entry {seq}")
    lines = []
    for entry in entries:
        kind, data = codec.EVENTS.dump(entry.event)
        said = {"actor": ACTOR.dump_python(entry.by, mode="json"), "cause": entry.cause, "kind": kind, "data": data}
        this = link(ticket, entry.seq, entry.at, said, prev)
        lines.append({"ticket": ticket, "seq": entry.seq, "at": entry.at, **said, "prev": prev, "hash": this})
        prev = this
    connection.execute(sa.insert(events), lines)
    connection.execute(sa.update(cases).where(cases.c.ticket == ticket).values(version=entries[-1].seq))


def write_case(connection: Connection, row: CaseRow, entries: Sequence[Entry]) -> None:
    """Write where the case stands now. ValueError for a case that was never submitted."""
    values = {name: getattr(row, name) for name in CaseRow.__dataclass_fields__ if name not in ("ticket", "version")}
    values["team"] = list(row.team) or None
    if entries:
        values["version"] = entries[-1].seq
    if not connection.execute(sa.update(cases).where(cases.c.ticket == row.ticket).values(**values)).rowcount:
        raise ValueError(f"{row.ticket} was never submitted")
