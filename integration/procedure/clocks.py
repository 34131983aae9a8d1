"""The clock of a step run out, and what people are told about it: reminders, then the office above.

A step is late at once; people are told of it once, and only when they are at work, which whoever looks at the time sees to.
"""

from integration.procedure import contexts
from integration.procedure.definition import Channel, Step
from integration.procedure.draft import Draft, Ignored
from integration.procedure.events import Reminded, StepRanLate
from integration.procedure.facts import Reminder, ReminderDue, StepExpired
from integration.procedure.people import performers, superiors


def step_expired(draft: Draft, step: Step, fact: StepExpired) -> None:
    """The step's due time has passed: it is late from now on."""
    case = draft.case
    if fact.entry != case.entered_seq:
        draft.ignore(Ignored.STALE)
    elif case.late:
        draft.ignore(Ignored.SAME)
    elif case.paused_since or case.due is None or draft.at < case.due:
        draft.ignore(Ignored.NOT_LATE)
    else:
        draft.record(StepRanLate(step.number))


def reminder_due(draft: Draft, step: Step, fact: ReminderDue) -> None:
    """People are reminded, each kind once for a due time; the unit through the portal, and then whoever may act in its place."""
    case = draft.case
    if fact.entry != case.entered_seq or fact.due != case.due:
        draft.ignore(Ignored.STALE)
    elif fact.kind in case.reminded:
        draft.ignore(Ignored.SAME)
    elif case.paused_since:
        draft.ignore(Ignored.NOT_LATE)
    elif fact.kind is Reminder.ONE_UP:
        _tell_superiors(draft, step)
    else:
        _remind(draft, step, fact.kind)


def _remind(draft: Draft, step: Step, kind: Reminder) -> None:
    s = draft.situation
    people = performers(s.procedure, s.organisation, s.case, s.day)
    draft.record(Reminded(step.number, kind.value, tuple(person.account for person in people if person.account)))
    if _unit_acts(draft, step):
        draft.call_portal("giliran.unit_kerja", pengingat=kind.value)
    else:
        draft.note("pengingat", contexts.position(draft.situation, step) | {"kind": kind.value})


def _tell_superiors(draft: Draft, step: Step) -> None:
    s = draft.situation
    above = superiors(s.procedure, s.organisation, step, s.day)
    draft.record(Reminded(step.number, Reminder.ONE_UP.value, tuple(person.account for person in above)))
    if above:
        draft.note("eskalasi", contexts.position(draft.situation, step) | {"superiors": contexts.persons(above)})


def _unit_acts(draft: Draft, step: Step) -> bool:
    return step.performer is not None and draft.procedure.role(step.performer).channel is Channel.PORTAL
