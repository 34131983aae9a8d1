"""The clock of a step run out, and what people are told about it: reminders, then the office above.

A step is late at once; people are told of it once, and only when they are at work, which whoever looks at the time sees to.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from integration.procedure import contexts
from integration.procedure.deadlines import ONE_DAY, CalendarGap, any_working_day
from integration.procedure.definition import Step, Unit
from integration.procedure.draft import Draft, Ignored
from integration.procedure.events import Reminded, StepRanLate
from integration.procedure.facts import Reminder, ReminderDue, StepExpired
from integration.procedure.offices import WorkCalendar
from integration.procedure.people import Performer, people, performers, superiors

BEFORE = frozenset({Reminder.DAY_BEFORE, Reminder.ON_THE_DAY})
"""The reminders of what is still in time."""

PORTAL_WORDS: Mapping[Reminder, str] = MappingProxyType(
    {Reminder.DAY_BEFORE: "sehari-sebelum", Reminder.ON_THE_DAY: "hari-ini", Reminder.AFTER: "terlewat"}
)
"""What a reminder is called in the call that tells the unit of its turn (`pengingat`)."""


def reminder(calendar: WorkCalendar, due: datetime, moment: datetime) -> Reminder | None:
    """What people are to be reminded of at this moment, for a due time alone; None where it is too early, or the calendar ends.

    Only the newest kind counts, so that whoever did not look for a week reminds once. One office up is told when a whole working day lies
    between the due date and today: due on Friday at closing, that is Tuesday at opening.
    """
    due_day, today = due.astimezone(calendar.tz).date(), moment.astimezone(calendar.tz).date()
    between = any_working_day(calendar, min(due_day, today) + ONE_DAY, max(due_day, today) - ONE_DAY)
    if isinstance(between, CalendarGap):
        return None
    if moment >= due:
        return Reminder.ONE_UP if between else Reminder.AFTER
    if due_day == today:
        return Reminder.ON_THE_DAY
    return None if between else Reminder.DAY_BEFORE


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
    """People are reminded, each kind once for a due time; of one that is overtaken by the next, or meant for nobody, they are not."""
    case = draft.case
    if fact.entry != case.entered_seq or fact.due != case.due:
        draft.ignore(Ignored.STALE)
    elif fact.kind in case.reminded:
        draft.ignore(Ignored.SAME)
    elif case.paused_since or (fact.kind in BEFORE and _too_short(draft, step)):
        draft.ignore(Ignored.NOT_LATE)
    elif fact.kind is not reminder(draft.organisation.calendar, fact.due, draft.at):
        draft.ignore(Ignored.STALE)
    elif fact.kind is Reminder.ONE_UP:
        _tell_superiors(draft, step)
    else:
        _remind(draft, step, fact.kind)


def _too_short(draft: Draft, step: Step) -> bool:
    """Whether nobody is reminded in time: a step of some minutes was asked for just now, and so was one entered today."""
    tz, entered = draft.organisation.calendar.tz, draft.case.entered_at or draft.at
    minutes = step.standard is not None and step.standard.unit is Unit.MINUTES
    return minutes or draft.situation.day <= entered.astimezone(tz).date()


def _remind(draft: Draft, step: Step, kind: Reminder) -> None:
    """Ask again those who are to act: on the platform, and the unit through the portal, also where it only takes part (POS step 11)."""
    asked = _in_the_units_place(draft, step, kind) if draft.case.waits_for_unit else _performers(draft)
    draft.record(Reminded(step.number, kind.value, tuple(person.account for person in asked)))
    if draft.case.waits_for_unit or step.unit_takes_part:
        draft.ask_unit("giliran.unit_kerja", pengingat=PORTAL_WORDS[kind])
    if asked or not draft.case.waits_for_unit:  # a vacancy is told as well
        more = {"kind": kind.value, "performers": contexts.persons(asked)}
        draft.note("pengingat", contexts.position(draft.situation, step) | more)


def _in_the_units_place(draft: Draft, step: Step, kind: Reminder) -> tuple[Performer, ...]:
    """Who is told that the unit is late: whoever may record its answer (POS step 24), else the office that follows up with it."""
    if kind is not Reminder.AFTER:
        return ()
    s = draft.situation
    return people(s, (also.role for also in step.also)) or superiors(s.procedure, s.organisation, step, s.day)


def _tell_superiors(draft: Draft, step: Step) -> None:
    """The office above; where nobody is above, that is recorded and nobody told."""
    s = draft.situation
    above = superiors(s.procedure, s.organisation, step, s.day)
    draft.record(Reminded(step.number, Reminder.ONE_UP.value, tuple(person.account for person in above)))
    if above:
        draft.note("eskalasi", contexts.position(draft.situation, step) | {"superiors": contexts.persons(above)})


def _performers(draft: Draft) -> tuple[Performer, ...]:
    s = draft.situation
    return performers(s.procedure, s.organisation, s.case, s.day)
