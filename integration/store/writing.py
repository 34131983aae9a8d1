"""The ledger's own lines: each event carries the hash of the one before, so that nothing can be changed, added or left out unseen.

The hash covers the case, the place, the moment, the actor, the cause, the event and the previous hash, as canonical JSON.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy.engine import Connection, Row

from integration import codec
from integration.codec import Json
from integration.procedure.events import Entry
from integration.procedure.facts import Actor
from integration.sealing import Keyring, hidden, shown
from integration.store import statements
from integration.store.rows import Batch, CaseRow, ChainFault, Known, Line

ACTOR: TypeAdapter[Actor] = TypeAdapter(Actor)
LEDGER = "ledger"  # what is sealed in a line is about; whose, the key tells
FIRST = ""  # what the first entry of a case follows


def link(ticket: str, seq: int, at: datetime, said: Json, prev: str) -> str:
    """The hash of one line. `said`: actor, cause, kind and data as they are stored."""
    line = {"ticket": ticket, "seq": seq, "at": at.astimezone(UTC).isoformat(timespec="microseconds"), **said, "prev": prev}
    return hashlib.sha256(codec.canonical(line)).hexdigest()


def entry_of(line: Line | Row[Any], key: bytes | None) -> Entry:
    """What a line says. `key`: its case's; None: what was sealed in it is left empty. ValueError for altered seals."""
    data, actor = shown(key, LEDGER, line.data, line.actor)
    return Entry(line.seq, line.at, ACTOR.validate_python(actor), line.cause, codec.EVENTS.load(line.kind, data))


def chain_faults(ticket: str, lines: Iterable[Line | Row[Any]], version: int) -> Iterator[ChainFault]:
    """The first fault of a case's chain: what comes after a broken line proves nothing. `version`: how many lines there must be."""
    seq, prev = 0, FIRST
    for line in lines:
        seq += 1
        said = {"actor": line.actor, "cause": line.cause, "kind": line.kind, "data": line.data}
        if line.seq != seq:
            yield ChainFault(ticket, seq, "rantai_hilang")
            return
        if line.prev != prev or line.hash != link(ticket, line.seq, line.at, said, prev):
            yield ChainFault(ticket, seq, "rantai_berubah")
            return
        prev = line.hash
    if seq != version:
        yield ChainFault(ticket, seq, "rantai_terpotong")


def append_entries(connection: Connection, ticket: str, entries: Sequence[Entry], known: Known | None, keyring: Keyring) -> str:
    """Write entries after the case's last, as it is `known` or found; gives the hash of the last. ValueError where they do not follow."""
    if known is not None:
        seq, prev, key = len(known.entries), known.hash, known.key
    else:
        last = connection.execute(statements.LAST_LINE, {"of": ticket}).first()
        seq, prev = (last.seq, last.hash) if last is not None else (0, FIRST)
        kept = connection.execute(statements.KEY, {"of": ticket}).scalar()
        key = keyring.key(kept) if kept else None
    if [entry.seq for entry in entries] != list(range(seq + 1, seq + 1 + len(entries))):
        raise ValueError(f"{ticket}: entries {entries[0].seq} to {entries[-1].seq} do not follow entry {seq}")
    lines = []
    for entry in entries:
        kind, data = codec.EVENTS.dump(entry.event)
        actor = ACTOR.dump_python(entry.by, mode="json")
        if key is not None:
            data, actor = hidden(key, LEDGER, kind, data, actor)
        said = {"actor": actor, "cause": entry.cause, "kind": kind, "data": data}
        this = link(ticket, entry.seq, entry.at, said, prev)
        lines.append({"ticket": ticket, "seq": entry.seq, "at": entry.at, **said, "prev": prev, "hash": this})
        prev = this
    connection.execute(statements.NEW_LINES, lines)
    return prev


def write_case(connection: Connection, lane: str, batch: Batch) -> None:
    """Write where the case stands now and how its issue was seen. ValueError for a case that was never submitted."""
    row = batch.case_row
    values: dict[str, object] = {}
    if row is not None:
        values |= {name: getattr(row, name) for name in CaseRow.__dataclass_fields__ if name not in ("ticket", "version")}
        values["team"] = list(row.team) or None
    if batch.entries:
        values["version"] = batch.entries[-1].seq
    if batch.observed is not None:
        values["observed"] = batch.observed
    if not values:
        return
    ticket = row.ticket if row is not None else lane
    written = connection.execute(statements.STANDING, {"of": ticket, **values})
    if row is not None and not written.rowcount:
        raise ValueError(f"{ticket} was never submitted")
