"""What must hold before a step is left; each guard names what is missing and who can supply it.

A refusal is a value shown to the person, never an exception, and it never guesses: what is not recorded is missing.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from integration.procedure.definition import Outcome, OutcomeKind, SectionKind, Step
from integration.procedure.events import Missing
from integration.procedure.facts import OutcomeChosen, Sections, Via
from integration.procedure.lines import ASSIGN, RESUME, by_report, command_line, headings, outcome_line, way_forward
from integration.procedure.people import (
    Capacity,
    Performer,
    Situation,
    above,
    authority,
    bar,
    capacity,
    conflict,
    eligible,
    is_typed,
    lacks_team,
    people,
    role_names,
    step_capacity,
    step_roles,
)
from integration.procedure.requirements import Lack, attachment_lack, lacks, reason_lack

AT_ONCE = timedelta(seconds=5)
"""How soon after the same word by somebody else a word can only have been meant for the same step."""


class Code(StrEnum):
    """Why a request was refused; one passage of templates/notes/penolakan.md each."""

    ENDED = "ended"  # the case has ended
    PAUSED = "paused"  # the clock stands; resume first
    OTHER_STEP = "other_step"  # meant for a step the case is not at
    NO_SUCH_OUTCOME = "no_such_outcome"  # the step has no such word
    NOT_YOURS = "not_yours"  # a role is needed that the actor does not hold
    NO_TEAM = "no_team"  # a team's step, and nobody was named
    INCOMPLETE = "incomplete"  # something is missing, item by item
    OWN_WORK = "own_work"  # somebody who did the work verifies it (procedure.md rule 4)
    SIGNED_TWICE = "signed_twice"  # verified another step of this round (procedure.md rule 4)
    OVERTAKEN = "overtaken"  # written before the case came to its step, or the word somebody else left the step before by
    TWO_LABELS = "two_labels"  # several step labels put on in one stroke
    LABEL_NO_WAY = "label_no_way"  # no single outcome leads to the step the label was set to
    LABEL_NEEDS_WORDS = "label_needs_words"  # that outcome needs a reason or sections: use a comment
    CLOSE_NOT_ALLOWED = "close_not_allowed"  # closed by hand
    REOPEN_NOT_ALLOWED = "reopen_not_allowed"  # reopened after the end
    NOT_TICKABLE = "not_tickable"  # satisfied by what the case holds, not by a tick
    LETTER_DRAFTED = "letter_drafted"  # a letter that names the team waits for its approval
    UNFIT_TEAM = "unfit_team"  # nobody named, not a programmer, or a verifier of this round
    REPORT_NOT_DUE = "report_not_due"  # no report is owed at this step
    REPORT_INCOMPLETE = "report_incomplete"  # parts of the report are missing
    GRANT_PAST = "grant_past"  # ends before it begins
    GRANT_TOO_LATE = "grant_too_late"  # all access was already handed back
    NO_SUCH_GRANT = "no_such_grant"  # nothing of that kind is open
    UNKNOWN_DOCUMENT = "unknown_document"  # no such document in this procedure
    NO_UPLOAD = "no_upload"  # nothing attached in the comment
    ALREADY_PAUSED = "already_paused"
    NOT_PAUSED = "not_paused"
    NO_CLOCK = "no_clock"  # waiting for the unit's form: the clock stands anyway
    UNKNOWN_TARGET = "unknown_target"  # no such related procedure
    NO_SUCH_PRIORITY = "no_such_priority"  # a label of the family that names no priority
    NO_EMERGENCY = "no_emergency"  # the procedure knows no exception order, or the case is past it
    EMERGENCY_RUNS = "emergency_runs"  # an order is being carried out
    NOT_AWAITED = "not_awaited"  # a revised form that nobody asked for
    NOT_SIGNER = "not_signer"  # neither signs the paper nor may hand it in for whoever does
    WHOSE_SIGNATURE = "whose_signature"  # several sign it, and it was not said who did
    OUT_OF_TURN = "out_of_turn"  # somebody else signs it first
    ALREADY_SIGNED = "already_signed"  # the signed copy is there
    NOTHING_TO_SIGN = "nothing_to_sign"  # no paper of this type asks for a signature
    NOT_CURRENT = "not_current"  # another version has taken its place
    PAPER_VOID = "paper_void"  # its number is void
    ONE_FILE = "one_file"  # a signed copy is one file
    FILE_GONE = "file_gone"
    FILE_TOO_LARGE = "file_too_large"
    NO_SCAN = "no_scan"
    NO_PDF = "no_pdf"
    SAME_FILE = "same_file"
    CONTENT_CHANGED = "content_changed"
    UNSIGNED = "unsigned"
    SIGNATURE_BROKEN = "signature_broken"
    SECRET = "secret"  # a password, key or token was written  # noqa: S105 -- a code, not one


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not, what is missing, who may act, and the line to type next with the headings below it.

    `appoint`: where nobody may act, those one office up who name a Plt. or Plh.
    """

    code: Code
    missing: tuple[Missing, ...] = ()
    may_act: tuple[Performer, ...] = ()
    line: str = ""
    sections: tuple[str, ...] = ()
    appoint: tuple[Performer, ...] = ()


@dataclass(frozen=True, slots=True)
class Permit:
    """A request to leave a step that holds: in what capacity, with what written. `exemption`: see events.SignedOff."""

    outcome: Outcome
    capacity: Capacity
    reason: str
    sections: Sections
    exemption: str = ""


def overtaken(s: Situation, step: Step, at: datetime, word: str = "") -> Refusal | None:
    """Whether what was asked `at` a moment was meant for the step before: asked before this one was, or the same `word` at once.

    So of two who type the same within seconds one leaves the step, and the other does not leave the next one with it. What counts are the
    times the askings themselves have: the ledger's own are never before what it already holds, and it may have been written late.
    """
    if s.case.sought_at is None or len(s.case.history) < 2:  # noqa: PLR2004 -- no step before this one
        return None
    before = s.case.history[-2]
    again = bool(word) and word == before.outcome and at - s.case.sought_at <= AT_ONCE
    return usual(s, step, Code.OVERTAKEN) if again or at <= s.case.sought_at else None


def weigh(s: Situation, step: Step, asked: OutcomeChosen) -> Permit | Refusal:
    """Whether the current `step` may be left as asked (procedure.md rules 1, 3, 4 and 7)."""
    outcome = step.outcome(asked.word)
    if asked.step not in (None, step.number):
        return usual(s, step, Code.OTHER_STEP)
    if outcome is None:
        return usual(s, step, Code.NO_SUCH_OUTCOME)
    if s.case.paused_since:
        return paused(s)
    held = step_capacity(s, step)
    if held is None:
        return not_yours(s, step)
    exemption = independence(s, step, held)
    if isinstance(exemption, Refusal):
        return exemption
    sections, missing = lacking(s, step, outcome, asked)
    attachment = attachment_lack(s.procedure, s.case, step, held)
    if attachment:
        missing = (attachment, *missing)
    if missing:
        return incomplete(s, step, outcome, missing)
    return Permit(outcome, held, asked.reason.strip(), sections, exemption)


def lacking(s: Situation, step: Step, outcome: Outcome, asked: OutcomeChosen) -> tuple[Sections, tuple[Lack, ...]]:
    """What is recorded as written, and what is missing: all that the step asks for on the way forward, else only the reason."""
    sections, missing = lacks(s, step, _written(s, step, outcome, asked))
    if outcome.kind is OutcomeKind.FORWARD:
        return sections, missing
    reason = reason_lack(s.procedure, step, outcome, asked.reason)
    return sections, (reason,) if reason else ()


def independence(s: Situation, step: Step, held: Capacity) -> str | Refusal:
    """Nobody verifies their own work (procedure.md rule 4): "" where that holds, else the acting office that exempts, or a refusal."""
    barred = bar(s.procedure, s.case, step, s.by.account, held.office)
    if barred:
        return usual(s, step, Code(barred.value))
    own_work, earlier = conflict(s.procedure, s.case, step, s.by.account)
    if not own_work and not earlier:
        return ""
    acting = held if held.office else Capacity(earlier[0].role, earlier[0].office)
    return acting.title(s.procedure)


def not_yours(s: Situation, step: Step) -> Refusal:
    """The actor holds none of the step's roles that day; where they are a team's and none is named, that is said instead."""
    return usual(s, step, Code.NO_TEAM if lacks_team(s.procedure, s.case, step) else Code.NOT_YOURS)


def incomplete(s: Situation, step: Step, outcome: Outcome, missing: tuple[Lack, ...]) -> Refusal:
    """What is missing; the line is the first command that supplies some of it, and those who may act are those who may type it.

    Where no command supplies anything: the outcome's own line, to be typed once all is there.
    """
    items = tuple(lack.missing for lack in missing)
    supply = next((lack for lack in missing if lack.line), None)
    if supply:
        return _refusal(s, Code.INCOMPLETE, supply.roles, people(s, supply.roles), items, supply.line)
    return replace(usual(s, step, Code.INCOMPLETE, outcome), missing=items)


def usual(s: Situation, step: Step, code: Code, by: Outcome | None = None) -> Refusal:
    """Refused; this is who may act here, and what they type: for the outcome `by`, else for the usual way on.

    At a step of a team that is still to be named, that comes first. What is only answered through the portal is typed by nobody.
    """
    if lacks_team(s.procedure, s.case, step):
        return command_fault(s, ASSIGN, code)
    outcome = by or way_forward(step)
    refusal = _refusal(s, code, step_roles(step), eligible(s, step))
    if outcome is None or not is_typed(s.procedure, step):
        return refusal
    return replace(refusal, line=outcome_line(s.procedure, step, outcome), sections=headings(s.procedure, step, outcome))


def command_refusal(s: Situation, word: str, *, reason: str | None = None, line: str = "") -> Refusal | None:
    """Why a command beside the table may not be given: its authority is not held that day, or the reason it must give is empty.

    `reason` None: the command gives none. `line`: what to type, where that is not the command's usual line; the unit types nothing.
    """
    roles = authority(s.procedure, word)
    may_act = people(s, roles)
    typed = (line or command_line(word)) if any(person.account for person in may_act) else ""
    if capacity(s, roles) is None:
        return _refusal(s, Code.NOT_YOURS, roles, may_act, (), typed)
    if reason is not None and not reason.strip():
        return _refusal(s, Code.INCOMPLETE, roles, may_act, (Missing("reason", "", role_names(s.procedure, roles)),), typed)
    return None


def command_fault(s: Situation, word: str, code: Code, missing: tuple[Missing, ...] = (), line: str = "") -> Refusal:
    """A command by somebody who may give it, but not so, or not now."""
    roles = authority(s.procedure, word)
    return _refusal(s, code, roles, people(s, roles), missing, line or command_line(word))


def asked_of(s: Situation, roles: tuple[str, ...], code: Code) -> Refusal:
    """What holders of these roles ask for without typing anything."""
    return _refusal(s, code, roles, people(s, roles))


def paused(s: Situation) -> Refusal:
    """The case is paused; it must be resumed first (procedure.md rule 7)."""
    return command_fault(s, RESUME, Code.PAUSED)


def _refusal(
    s: Situation, code: Code, roles: tuple[str, ...], may_act: tuple[Performer, ...], missing: tuple[Missing, ...] = (), line: str = ""
) -> Refusal:
    """A refusal that names who may act; where nobody may, who appoints somebody for the first of these roles."""
    appoint = above(s.procedure, s.organisation, roles[0], s.day) if roles and not may_act else ()
    return Refusal(code, missing, may_act, line, appoint=appoint)


def _written(s: Situation, step: Step, outcome: Outcome, asked: OutcomeChosen) -> Sections:
    """What was written: by a report, where that is what leaves the step (POS step 19); else with the request.

    Through the portal the one remark is both the reason and the step's only text (contract.md, `catatan`); so is the reason of a return
    that makes a paper, which else would print what was written at another time (POS step 24).
    """
    if by_report(s.procedure, step, asked.word):
        return s.case.reports[-1].sections if s.case.reports else ()
    texts = [section.title for section in step.sections if section.kind is SectionKind.TEXT]
    makes_paper = outcome.needs_reason and any(outcome.word in product.on for product in step.products)
    if len(texts) == 1 and (asked.via is Via.PORTAL or (makes_paper and not asked.sections)):
        return (*asked.sections, (texts[0], asked.reason))
    return asked.sections
