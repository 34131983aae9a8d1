"""The letter that names the team, and the team: until the letter is approved it is simply named.

After that nobody joins or leaves it but by an amended letter, approved by whoever approves the first.
"""

from integration.procedure import contexts
from integration.procedure.case import Case
from integration.procedure.contexts import Context
from integration.procedure.definition import DRAFT, Letter, Outcome, OutcomeKind, Procedure, Step
from integration.procedure.draft import Draft
from integration.procedure.events import LetterAnswered, Missing, TeamAssigned, TeamProposed
from integration.procedure.facts import OutcomeChosen, Via
from integration.procedure.guards import Code, Refusal, command_fault, incomplete, not_yours
from integration.procedure.lines import ASSIGN, outcome_line
from integration.procedure.people import Capacity, eligible, step_capacity
from integration.procedure.requirements import reason_lack
from integration.procedure.transitions import issue_paper


def waits_for_signature(procedure: Procedure, case: Case, step: Step) -> bool:
    """Whether this step approves a letter that is drafted: until it is left, the letter and the team it names are one (POS step 15)."""
    letter = procedure.letter
    paper = case.current_paper(letter.document) if letter else None
    return letter is not None and step.number == letter.approval and paper is not None and paper.edition == DRAFT


def amendable(procedure: Procedure, case: Case) -> Letter | None:
    """The letter, where one is approved already: another team needs an amended one."""
    letter = procedure.letter
    editions = {paper.edition for paper in case.documents if letter and paper.document == letter.document}
    return letter if editions - {DRAFT} else None


def unfit(draft: Draft, members: tuple[str, ...]) -> Refusal | None:
    """Teams are made of the organisation's programmers, and of nobody who verified this round's work (procedure.md rule 4)."""
    verifiers = {sign.by.account for sign in draft.case.standing_signoffs}
    found = [account for account in members if draft.organisation.programmer(account) is None or account in verifiers]
    if members and not found:
        return None
    return command_fault(draft.situation, ASSIGN, Code.UNFIT_TEAM, tuple(Missing("member", account) for account in found))


def take(draft: Draft, members: tuple[str, ...]) -> None:
    """The case has this team from now on."""
    draft.record(TeamAssigned(draft.case.team_version + 1, members))
    by = contexts.name_of(draft.situation)
    draft.note("tim", _team(draft, members) | {"version": draft.case.team_version, "by": by})


def propose(draft: Draft, letter: Letter, members: tuple[str, ...]) -> None:
    """An amended letter is drafted that names this team; whoever may approve it is asked."""
    approval = draft.procedure.step(letter.approval)
    draft.record(TeamProposed(members))
    issue_paper(draft, letter.document, DRAFT, draft.procedure.step(letter.draft))
    lines = [outcome_line(draft.procedure, approval, outcome) for outcome in approval.outcomes]
    asked = {"may_act": contexts.persons(eligible(draft.situation, approval)), "lines": lines}
    draft.note("tim-usulan", _team(draft, members) | asked | {"by": contexts.name_of(draft.situation)}, slot="tim-usulan")


def answered(draft: Draft, step: Step, fact: OutcomeChosen) -> bool:
    """Whether this word is the answer to an amended letter, which is then given.

    It is where the letter's own step has the word, and the current one has not, or not for whoever said it.
    """
    letter, since = draft.procedure.letter, draft.case.proposed_at
    if letter is None or since is None or fact.via is not Via.COMMENT or fact.at <= since:
        return False
    approval = draft.procedure.step(letter.approval)
    outcome, held = approval.outcome(fact.word), step_capacity(draft.situation, approval)
    if outcome is None or (step.outcome(fact.word) and (held is None or step_capacity(draft.situation, step))):
        return False
    refusal = not_yours(draft.situation, approval) if held is None else _fault(draft, approval, outcome, fact)
    if held is None or refusal:
        draft.refuse(fact.word, refusal or not_yours(draft.situation, approval))
    else:
        _answer(draft, letter, outcome, fact, held)
    return True


def _fault(draft: Draft, approval: Step, outcome: Outcome, fact: OutcomeChosen) -> Refusal | None:
    """What stands against an answer by somebody who may give it."""
    lack = reason_lack(draft.procedure, approval, outcome, fact.reason)
    if lack:
        return incomplete(draft.situation, approval, outcome, (lack,))
    return unfit(draft, draft.case.proposed) if outcome.kind is OutcomeKind.FORWARD else None


def _answer(draft: Draft, letter: Letter, outcome: Outcome, fact: OutcomeChosen, held: Capacity) -> None:
    members, accepted = draft.case.proposed, outcome.kind is OutcomeKind.FORWARD
    draft.record(LetterAnswered(accepted, fact.reason.strip(), held.role, held.office))
    if accepted:
        take(draft, members)
        approval = draft.procedure.step(letter.approval)
        for product in approval.products:
            if product.document == letter.document and outcome.word in product.on:
                issue_paper(draft, product.document, product.edition, approval)
    else:
        draft.note("tim-ditolak", contexts.actor(draft.situation, held) | {"reason": fact.reason.strip()})


def _team(draft: Draft, members: tuple[str, ...]) -> Context:
    """The team; who of it has more than their capacity, or is on leave, is known when it is written."""
    lead, *others = contexts.accounts(draft.organisation, members)
    return {"lead": lead, "members": others, "over_capacity": [], "on_leave": []}
