"""How people leave steps: by a word, by moving the card, by closing the issue; and the commands that move or end a case.

All ways are equal in effect and in checks (contract.md, "On the platform"); what was moved by hand and refused is shown as it was.
"""

from dataclasses import replace

from integration.procedure.definition import Emergency, Ending, Step
from integration.procedure.draft import Draft, Ignored
from integration.procedure.events import Missing
from integration.procedure.facts import EmergencyAsked, HandOffAsked, IssueClosed, IssueReopened, OutcomeChosen, StepLabelMoved, Via
from integration.procedure.guards import Code, Permit, Refusal, command_fault, command_refusal, overtaken, paused, usual, weigh
from integration.procedure.letter import answered
from integration.procedure.lines import EMERGENCY, HAND_OFF
from integration.procedure.people import authority, capacity
from integration.procedure.requirements import lacks
from integration.procedure.route import destination
from integration.procedure.sections import plain
from integration.procedure.transitions import end, leave, open_emergency

CLOSE, REOPEN, LABEL = "close", "reopen", "label"
"""What was asked, where nobody typed a word."""


def outcome_chosen(draft: Draft, step: Step, fact: OutcomeChosen) -> None:
    """A word: the step is left by it, or it is refused; one that was typed for the step before leaves no other one.

    Where an amended letter waits for its approval, the words of its own step answer it.
    """
    if answered(draft, step, fact):
        return
    late = overtaken(draft.situation, step, fact.at, fact.word) if fact.via is Via.COMMENT else None
    permit = late or weigh(draft.situation, step, fact)
    if isinstance(permit, Refusal):
        draft.refuse(fact.word, permit)
    else:
        leave(draft, step, permit)


def label_moved(draft: Draft, step: Step, fact: StepLabelMoved) -> None:
    """The card was moved: read as the one outcome that leads there, if it needs no words (contract.md, "On the platform")."""
    if fact.to == step.number and not fact.others:
        draft.ignore(Ignored.SAME)
        return
    draft.show()
    late = overtaken(draft.situation, step, fact.at)
    if late or fact.others:
        draft.refuse(f"{LABEL}:{fact.to}", late or usual(draft.situation, step, Code.TWO_LABELS))
        return
    ways = [outcome for outcome in step.outcomes if destination(draft.procedure, draft.case, step, outcome) == fact.to]
    if len(ways) != 1:
        draft.refuse(f"{LABEL}:{fact.to}", usual(draft.situation, step, Code.LABEL_NO_WAY))
    elif ways[0].needs_reason or step.sections:
        draft.refuse(f"{LABEL}:{fact.to}", usual(draft.situation, step, Code.LABEL_NEEDS_WORDS, ways[0]))
    else:
        outcome_chosen(draft, step, OutcomeChosen(fact.key, fact.at, fact.by, ways[0].word, "", (), Via.LABEL))


def issue_closed(draft: Draft, step: Step, fact: IssueClosed) -> None:
    """The issue was closed: the handover's acceptance, by the right person with nothing missing; else it is reopened (rule 9)."""
    draft.show()
    done = next((outcome.word for outcome in step.outcomes if outcome.ending is Ending.DONE), "")
    permit = weigh(draft.situation, step, OutcomeChosen(fact.key, fact.at, fact.by, done, "", (), Via.CLOSE))
    if isinstance(permit, Permit):
        leave(draft, step, permit)
        return
    _, lacking = lacks(draft.situation, step, ())
    refusal = usual(draft.situation, step, Code.CLOSE_NOT_ALLOWED)
    draft.refuse(CLOSE, replace(refusal, missing=tuple(lack.missing for lack in lacking)), "ditutup-manual")


def issue_reopened(draft: Draft, fact: IssueReopened) -> None:  # noqa: ARG001
    """The issue was reopened: after the end it is closed again, before it nothing was asked for."""
    if draft.case.ending:
        draft.show()
        draft.refuse(REOPEN, Refusal(Code.REOPEN_NOT_ALLOWED), "dibuka-manual")
    else:
        draft.ignore(Ignored.SAME)


def hand_off_asked(draft: Draft, step: Step, fact: HandOffAsked) -> None:  # noqa: ARG001 -- at any step
    """The case is handed to a related procedure and ends here (procedure.md rule 7)."""
    targets = {plain(name): name for name in draft.procedure.handoffs}
    target = plain(fact.target)
    refusal = command_refusal(draft.situation, HAND_OFF, reason=fact.reason)
    if refusal is None and target not in targets:
        known = tuple(Missing("target", name) for name in draft.procedure.handoffs)
        refusal = command_fault(draft.situation, HAND_OFF, Code.UNKNOWN_TARGET, known)
    if refusal:
        draft.refuse(HAND_OFF, refusal)
    else:
        held = capacity(draft.situation, authority(draft.procedure, HAND_OFF))
        end(draft, Ending.HANDED_OFF, fact.reason.strip(), held, targets[target])


def emergency_asked(draft: Draft, step: Step, fact: EmergencyAsked) -> None:
    """An exception order, where the procedure knows one and the case is still before its steps (procedure.md rule 7)."""
    emergency, s = draft.procedure.emergency, draft.situation
    if emergency is None:
        draft.refuse(EMERGENCY, usual(s, step, Code.NO_EMERGENCY))
        return
    refusal = command_refusal(s, EMERGENCY, reason=fact.reason) or _no_emergency(draft, step, emergency)
    if refusal:
        draft.refuse(EMERGENCY, refusal)
    else:
        open_emergency(draft, step, emergency, fact.reason.strip())


def _no_emergency(draft: Draft, step: Step, emergency: Emergency) -> Refusal | None:
    s = draft.situation
    if step.number >= emergency.first:
        return usual(s, step, Code.NO_EMERGENCY)
    if s.case.debts:
        return usual(s, step, Code.EMERGENCY_RUNS)
    return paused(s) if s.case.paused_since else None
