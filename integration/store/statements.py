"""The statements of a row's way through its lane, built once: building them costs more than running them.

Within a lane an unfinished or parked inbox row blocks the younger inbox rows, an outbox row the younger ones of its channel.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.dml import ReturningUpdate

from integration.faults import Failure
from integration.store.quotas import closed_until
from integration.store.rows import CaseRow, InboxRow, NumberRow, OutboxRow
from integration.tables import DONE, UNFINISHED, WAITING, Moment, cases, causes, events, inbox, lanes, notes, outbox

HOOKS = "gitlab"
"""The source of what the platform tells."""

OUTCOME = "outcome"
"""The source of what effects led to."""

PLATFORM = "platform"
"""The channel that quotas are about."""


def columns(table: sa.Table, kind: type[InboxRow | OutboxRow | CaseRow | NumberRow]) -> list[sa.Column[Any]]:
    """The columns a value of this kind is made of, in the order of its fields."""
    return [table.c[name] for name in kind.__dataclass_fields__]


LANE, ROW = sa.bindparam("of", type_=sa.String), sa.bindparam("row", type_=sa.Integer)
NOW, AT = sa.bindparam("now", type_=Moment), sa.bindparam("at", type_=Moment)
TOKEN, UNTIL = sa.bindparam("by", type_=sa.String), sa.bindparam("until", type_=Moment)

# --- the lane ---

HELD = (lanes.c.lane == LANE) & (lanes.c.token == TOKEN)
PROLONGED = sa.update(lanes).where(HELD).values(lease_until=UNTIL)
GIVEN_BACK = sa.update(lanes).where(HELD).values(token=None, lease_until=None, next_due=AT)

_free = lanes.alias()
_CLAIMABLE = (_free.c.next_due <= NOW) & (_free.c.lease_until.is_(None) | (_free.c.lease_until <= sa.bindparam("wall", type_=Moment)))
_LONGEST_WAITING = (
    sa.select(_free.c.lane).where(_CLAIMABLE).order_by(_free.c.next_due, _free.c.lane).limit(1).with_for_update(skip_locked=True)
)
CLAIMED = (
    sa.update(lanes)
    .where(lanes.c.lane == _LONGEST_WAITING.scalar_subquery())
    .values(token=TOKEN, lease_until=UNTIL)
    .returning(lanes.c.lane)
)
WAITS_SINCE = sa.select(_free.c.next_due).where(_CLAIMABLE).order_by(_free.c.next_due).limit(1)

# --- its inbox: the oldest row; a look at the platform waits while that is closed ---

_first, _kept, _queued = inbox.alias(), inbox.alias(), outbox.alias()
_OLDEST = sa.select(_kept.c.id).where(_kept.c.lane == LANE, UNFINISHED).order_by(_kept.c.id).limit(1).scalar_subquery()
_IS_LOOK = (_first.c.source == HOOKS) | (_first.c.source == "sweep")
_CLOSED_TO_LOOKS = sa.case((_IS_LOOK, closed_until(NOW)))
_FIRST_MESSAGE = (_first.c.id == _OLDEST) & (_first.c.state == WAITING)
_READY_MESSAGE = sa.select(_first.c.id).where(_FIRST_MESSAGE, _first.c.due_at <= NOW, _CLOSED_TO_LOOKS.is_(None))

# With it, since when the first effect of the lane waits, whether or not it could be worked now: that is asked where it waits too long.
_WAITING_EFFECTS = (_queued.c.lane == LANE) & UNFINISHED & (_queued.c.state == WAITING)
_EFFECTS_SINCE = sa.select(sa.func.min(_queued.c.due_at)).where(_WAITING_EFFECTS).scalar_subquery()

MESSAGE = (
    sa.update(inbox)
    .where(inbox.c.id == _READY_MESSAGE.scalar_subquery())
    .values(attempts=inbox.c.attempts + 1)
    .returning(*columns(inbox, InboxRow), _EFFECTS_SINCE)
)

# --- its outbox: the oldest row of each channel ---

_heads = outbox.alias()
# Opening the issue comes before all else: effects that wait for an issue that was lost meanwhile go to the new one.
_HEAD = sa.func.abs(sa.func.min(sa.case((_queued.c.kind == "OpenIssue", -_queued.c.id), else_=_queued.c.id)))
_HEADS = sa.select(_HEAD).where(_queued.c.lane == LANE, UNFINISHED).group_by(_queued.c.channel)
_CLOSED_TO_EFFECT = sa.case((_heads.c.channel == PLATFORM, closed_until(NOW, _heads.c.kind)))
_FIRST_EFFECTS = _heads.c.id.in_(_HEADS) & (_heads.c.state == WAITING)
_READY_EFFECTS = sa.select(_heads.c.id).where(_FIRST_EFFECTS, _heads.c.due_at <= NOW, _CLOSED_TO_EFFECT.is_(None))
_OUTCOME_WAITS = sa.exists().where(_kept.c.lane == LANE, UNFINISHED, _kept.c.source == OUTCOME)


def _first_of(effects: sa.Select[Any]) -> ReturningUpdate[Any]:
    return (
        sa.update(outbox)
        .where(outbox.c.id == effects.order_by(_heads.c.id).limit(1).scalar_subquery())
        .values(attempts=outbox.c.attempts + 1)
        .returning(*columns(outbox, OutboxRow))
    )


EFFECT = _first_of(_READY_EFFECTS)
# That waits since AT; what an effect led to is decided before the next one, which may be about it: an issue's number, a paper's link.
EFFECT_SINCE = _first_of(_READY_EFFECTS.where(_heads.c.due_at <= AT, ~_OUTCOME_WAITS))

# --- what waits: when each first row is due, and until when the platform is closed to it (None: it is not) ---

FIRST_ROWS = {
    inbox: sa.select(_first.c.id, _first.c.due_at, _CLOSED_TO_LOOKS.label("closed")).where(_FIRST_MESSAGE),
    outbox: sa.select(_heads.c.id, _heads.c.due_at, _CLOSED_TO_EFFECT.label("closed")).where(_FIRST_EFFECTS),
}

# --- the end of a row, which says whether more of its lane is unfinished: messages, effects ---

_MORE_KEPT = sa.exists().where(_kept.c.lane == LANE, UNFINISHED)
_MORE_QUEUED = sa.exists().where(_queued.c.lane == LANE, UNFINISHED)

# Of a hook nothing is asked any more: what people wrote is in it, and it would be here and nowhere erased.
_LEFT = sa.case((inbox.c.source == HOOKS, sa.literal(b"", sa.LargeBinary)), else_=inbox.c.body)

DECIDED = (
    sa.update(inbox)
    .where(inbox.c.id == ROW)
    .values(state=DONE, error="", failure="", result=sa.bindparam("word"), body=_LEFT)
    .returning(_MORE_KEPT.where(_kept.c.id != ROW), _MORE_QUEUED)
)
PERFORMED = (
    sa.update(outbox)
    .where(outbox.c.id == ROW)
    .values(state=DONE, error="", failure="", done_at=NOW)
    .returning(_MORE_KEPT, _MORE_QUEUED.where(_queued.c.id != ROW))
)
UNTRIED = {table: sa.update(table).where(table.c.id == ROW).values(attempts=table.c.attempts - 1) for table in (inbox, outbox)}
LATER = {table: sa.update(table).where(table.c.id == ROW).values(due_at=AT, error="", failure=Failure.LIMIT) for table in (inbox, outbox)}

# --- the case ---

LEDGER = sa.select(events).where(events.c.ticket == LANE).order_by(events.c.seq)
KEY = sa.select(cases.c.key).where(cases.c.ticket == LANE)
LAST_LINE = sa.select(events.c.seq, events.c.hash).where(events.c.ticket == LANE).order_by(events.c.seq.desc()).limit(1)
NEW_LINES = sa.insert(events)
STANDING = sa.update(cases).where(cases.c.ticket == LANE)  # sets the columns it is given
KEY_AND_OBSERVED = sa.select(cases.c.key, cases.c.observed).where(cases.c.ticket == LANE)
OBSERVED = sa.select(cases.c.observed).where(cases.c.ticket == LANE)
KNOWN_CAUSES = sa.select(causes.c.key).where(causes.c.ticket == LANE, causes.c.key.in_(sa.bindparam("keys", expanding=True)))
NEWEST_NOTE = (
    sa.select(notes.c.note_id)
    .where(notes.c.ticket == LANE, (notes.c.key == sa.bindparam("name")) | (notes.c.slot == sa.bindparam("name")))
    .order_by(notes.c.note_id.desc())
    .limit(1)
)
CASE_OF_ISSUE = sa.select(cases.c.ticket).where(cases.c.iid == sa.bindparam("issue"))
