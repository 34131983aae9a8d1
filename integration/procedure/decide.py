"""The one decision: what a fact means for a case. Total and pure: no fact, however odd, raises, and nothing outside is looked at.

A fact ends in a transition, a refusal that is answered, or an ignore with a name. A case that has ended never moves again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from integration.procedure import answers, clocks, duty, findings, forms, lines, outcomes, requests, revisions, roster, signing
from integration.procedure.case import Case, evolve
from integration.procedure.definition import Procedure, Step
from integration.procedure.draft import Draft, Ignored
from integration.procedure.effects import Effect
from integration.procedure.events import CaseOpened, Entry, Event
from integration.procedure.facts import (
    AccessGiven,
    AccessTaken,
    CheckAsked,
    CommandUnclear,
    DocumentAttached,
    DocumentFiled,
    EmergencyAsked,
    ErasureOrdered,
    Fact,
    FilesSent,
    FormCorrected,
    FormRevised,
    FormSubmitted,
    HandOffAsked,
    HelpAsked,
    IssueClosed,
    IssueDrifted,
    IssueLinked,
    IssueLost,
    IssueReopened,
    Known,
    LinkAsked,
    OrganisationChanged,
    OutcomeChosen,
    PauseAsked,
    PriorityMoved,
    ProgressMade,
    ReminderDue,
    ReportsOwed,
    ResumeAsked,
    RevisionAdopted,
    SecretWritten,
    SignedCopyGiven,
    SignedCopyUploaded,
    StepExpired,
    StepLabelMoved,
    TaskLinked,
    TeamNamed,
    Ticked,
    WeekDue,
    WeekEnded,
    Withdrawn,
)
from integration.procedure.guards import Code, Refusal
from integration.procedure.offices import Organisation
from integration.procedure.tasks import give_tasks
from integration.procedure.unit import link_asked, tell_unit


@dataclass(frozen=True, slots=True)
class Decision:
    """What to add to the ledger and what to do about it, both in order; `ignored` says why nothing at all follows."""

    entries: tuple[Entry, ...] = ()
    effects: tuple[Effect, ...] = ()
    ignored: str = ""

    @property
    def events(self) -> tuple[Event, ...]:
        """What happened, without places in the ledger."""
        return tuple(entry.event for entry in self.entries)


# Each rule is called with a fact of its own kind; that pairing is what a type checker cannot follow here.
WHILE_OPEN: Mapping[type[Known], Callable[[Draft, Step, Any], None]] = MappingProxyType(
    {
        FormRevised: forms.revised,
        Withdrawn: forms.withdrawn,
        LinkAsked: link_asked,
        FilesSent: forms.files_sent,
        OutcomeChosen: outcomes.outcome_chosen,
        StepLabelMoved: outcomes.label_moved,
        IssueClosed: outcomes.issue_closed,
        HandOffAsked: outcomes.hand_off_asked,
        EmergencyAsked: outcomes.emergency_asked,
        Ticked: requests.ticked,
        TeamNamed: requests.team_named,
        AccessGiven: requests.access_given,
        DocumentAttached: requests.document_attached,
        PauseAsked: requests.pause_asked,
        ResumeAsked: requests.resume_asked,
        ProgressMade: duty.progress_made,
        WeekDue: duty.week_due,
        WeekEnded: duty.week_ended,
        ReportsOwed: duty.reports_owed,
        StepExpired: clocks.step_expired,
        ReminderDue: clocks.reminder_due,
        OrganisationChanged: roster.organisation_changed,
        RevisionAdopted: revisions.revision_adopted,
        PriorityMoved: requests.priority_moved,
        IssueLost: findings.issue_lost,
    }
)
"""Rules of an open case; they get its current step."""

ALWAYS: Mapping[type[Known], Callable[[Draft, Any], None]] = MappingProxyType(
    {
        AccessTaken: requests.access_taken,
        CheckAsked: answers.check_asked,
        HelpAsked: answers.help_asked,
        CommandUnclear: answers.command_unclear,
        SecretWritten: answers.secret_written,
        IssueReopened: outcomes.issue_reopened,
        IssueLinked: findings.issue_linked,
        TaskLinked: findings.task_linked,
        IssueDrifted: findings.issue_drifted,
        DocumentFiled: findings.document_filed,
        SignedCopyGiven: signing.signed_copy_given,
        SignedCopyUploaded: findings.signed_copy_uploaded,
        ErasureOrdered: findings.erasure_ordered,
        FormCorrected: forms.corrected,
    }
)
"""Rules that hold whether or not the case has ended; none of them moves it."""


def decide(procedure: Procedure, organisation: Organisation, case: Case | None, fact: Fact, now: datetime) -> Decision:
    """What `fact` means for `case` (None: there is none yet) under its own procedure revision, at `now` (aware).

    Entries are numbered from the case's last one on. A fact counts as having happened when it says so, but never before what the ledger
    already holds and never after `now`: other clocks may be wrong, the ledger's order is not. A reminder is made when it is decided: while
    it waited, the next one may have come due.
    """
    at = now if isinstance(fact, ReminderDue) else min(fact.at, now)
    if case is None:
        return _open(procedure, organisation, fact, at) if isinstance(fact, FormSubmitted) else Decision(ignored=Ignored.NO_CASE.value)
    draft = Draft(procedure, organisation, case, fact, max(at, case.last_at or at))
    if isinstance(fact, FormSubmitted):
        draft.ignore(Ignored.OPEN_ALREADY)
    elif type(fact) in ALWAYS:
        ALWAYS[type(fact)](draft, fact)
    elif case.step is None:
        _after_the_end(draft, fact)
    else:
        WHILE_OPEN[type(fact)](draft, procedure.step(case.step), fact)
    tell_unit(draft, case)
    give_tasks(draft, case)
    return Decision(tuple(draft.entries), draft.effects, draft.ignored)


def _open(procedure: Procedure, organisation: Organisation, fact: FormSubmitted, at: datetime) -> Decision:
    opened = CaseOpened(fact.ticket, procedure.slug, procedure.revision, fact.submission)
    first = Entry(1, at, fact.by, fact.key, opened)
    case = evolve(None, first)
    draft = Draft(procedure, organisation, case, fact, at)
    forms.submitted(draft)
    tell_unit(draft, case)
    return Decision((first, *draft.entries), draft.effects)


_ASKED: Mapping[type[Known], str] = MappingProxyType(
    {
        FormRevised: forms.FORM,
        Withdrawn: lines.WITHDRAW,
        HandOffAsked: lines.HAND_OFF,
        EmergencyAsked: lines.EMERGENCY,
        TeamNamed: lines.ASSIGN,
        AccessGiven: lines.GRANT,
        DocumentAttached: lines.ATTACH,
        PauseAsked: lines.PAUSE,
        ResumeAsked: lines.RESUME,
    }
)
"""What people ask for by a fact whose kind says it all."""


def _after_the_end(draft: Draft, fact: Fact) -> None:
    """A case that has ended answers people, shows its issue as it was, and lets clocks run out in silence."""
    asked = _asked(draft.procedure, fact)
    if asked:
        draft.show()
        draft.refuse(asked, Refusal(Code.ENDED))
    else:
        draft.ignore(Ignored.ENDED)


def _asked(procedure: Procedure, fact: Fact) -> str:
    """The word or act somebody asked for; "" for what nobody did, for closing what is closed, and for boxes that are shown no more."""
    match fact:
        case OutcomeChosen():
            return fact.word
        case StepLabelMoved():
            return f"{outcomes.LABEL}:{fact.to}"
        case PriorityMoved():
            return f"{requests.PRIORITY}:{fact.priority}"
        case ProgressMade():
            return procedure.duty.word if procedure.duty else ""
        case _:
            return _ASKED.get(type(fact), "")
