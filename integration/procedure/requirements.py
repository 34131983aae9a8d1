"""What a step asks for before it is left forward, and what of it the case does not hold (procedure.md rules 1 and 2).

Whatever is missing is named item by item, with who can supply it and, where a command does, by which line.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import assert_never

from integration.procedure import lines
from integration.procedure.case import Case
from integration.procedure.definition import Gate, Outcome, Procedure, Requirement, SectionKind, Step, Supply
from integration.procedure.events import Missing
from integration.procedure.facts import Sections
from integration.procedure.people import Capacity, Situation, authority, is_teams, role_names, step_roles
from integration.procedure.sections import accept


@dataclass(frozen=True, slots=True)
class Lack:
    """Something missing, and the line that supplies it with the roles that may type it; "" where no command does."""

    missing: Missing
    line: str = ""
    roles: tuple[str, ...] = ()


def satisfied(procedure: Procedure, case: Case, requirement: Requirement, day: date) -> bool:
    """Whether what the case holds on `day` satisfies an item of the current step's kelengkapan.

    Items supplied by the sections of the step itself are satisfied only by the request that leaves it, so never before.
    """
    match requirement.supply:
        case Supply.FORM | Supply.ACCOUNT:
            return True  # there is no case without a form, and nobody acts on the platform but by their own account
        case Supply.SECTION:
            return False
        case Supply.DOCUMENT:
            return _holds_document(procedure, case, requirement)
        case Supply.SCHEDULE:
            return any(dates_written(case, step) for step in _dated_steps(procedure, case))
        case Supply.TEAM:
            return bool(case.team)
        case Supply.GRANT:
            return _holds_grant(case, day)
        case Supply.REPORT:
            return _holds_report(procedure, case)
        case Supply.TICK:
            return requirement.id in case.ticks
        case _:
            assert_never(requirement.supply)


def lacks(s: Situation, step: Step, written: Sections) -> tuple[Sections, tuple[Lack, ...]]:
    """The sections as they are recorded when `step` is left forward with `written`, and all that is missing for it."""
    procedure, case = s.procedure, s.case
    sections, faults = accept(step.sections, written)
    asked = (r for r in step.requirements if not _by_sections(step, r) and not satisfied(procedure, case, r, s.day))
    found = [_requirement_lack(procedure, step, requirement) for requirement in asked]
    found += [Lack(Missing(fault.kind, fault.item, role_names(procedure, step_roles(step)))) for fault in faults]
    found += _gate_lacks(s, step)
    return sections, tuple(found)


def attachment_lack(procedure: Procedure, case: Case, step: Step, capacity: Capacity) -> Lack | None:
    """What a second role must have attached since the step was entered before it may act in place of the first (POS step 24)."""
    needed = next((also.attachment for also in step.also if also.role == capacity.role), None)
    attached = case.attached(needed) if needed else None
    if needed is None or (attached and attached.seq > case.entered_seq):
        return None
    return _by_command(procedure, "attachment", procedure.document(needed).title, lines.ATTACH, needed)


def reason_lack(procedure: Procedure, step: Step, outcome: Outcome, reason: str) -> Lack | None:
    """The reason a return or an ending must give (the `*` of procedure.md's table)."""
    if reason.strip() or not outcome.needs_reason:
        return None
    return Lack(Missing("reason", "", role_names(procedure, step_roles(step))))


def dates(step: Step) -> set[str]:
    """The headings of a step below which days are written: its part of the schedule."""
    return {section.title for section in step.sections if section.kind is SectionKind.DATE}


def dates_written(case: Case, step: Step) -> bool:
    """Whether the case holds what this step writes of the schedule."""
    return dates(step) <= {title for title, _ in case.written.get(step.number, ())}


def _holds_document(procedure: Procedure, case: Case, requirement: Requirement) -> bool:
    """A paper the service makes counts once it is issued; one that people attach, once it is attached."""
    document = requirement.document or ""
    if procedure.document(document).template:
        return case.current_paper(document, requirement.edition) is not None
    return case.attached(document) is not None


def _holds_grant(case: Case, day: date) -> bool:
    """Access that ended by its own date is none any more, though it stays to be revoked (procedure.md rule 8)."""
    return any(grant.until >= day for grant in case.open_grants)


def _holds_report(procedure: Procedure, case: Case) -> bool:
    """A report of this very stay where the case waits for one, any report elsewhere (procedure.md rule 5)."""
    waits = procedure.duty is not None and case.step == procedure.duty.step
    return any(not waits or report.seq > case.entered_seq for report in case.reports)


def _dated_steps(procedure: Procedure, case: Case) -> Iterator[Step]:
    return (step for step in procedure.steps if step.number <= (case.step or 0) and dates(step))


def _by_sections(step: Step, requirement: Requirement) -> bool:
    """Whether the step's own headings supply it; they are named as sections then, not a second time as an item."""
    return requirement.supply is Supply.SECTION or (requirement.supply is Supply.SCHEDULE and bool(dates(step)))


def _requirement_lack(procedure: Procedure, step: Step, requirement: Requirement) -> Lack:
    text = requirement.text
    match requirement.supply:
        case Supply.DOCUMENT:
            return _document_lack(procedure, requirement)
        case Supply.REPORT:
            roles = authority(procedure, procedure.duty.word if procedure.duty else "")
            return Lack(Missing("report", text, role_names(procedure, roles)), lines.report_line(procedure), roles)
        case Supply.TEAM:
            return _by_command(procedure, "requirement", text, lines.ASSIGN)
        case Supply.GRANT:
            return _by_command(procedure, "requirement", text, lines.GRANT)
        case _:
            return Lack(Missing("requirement", text, role_names(procedure, step_roles(step))))


def _document_lack(procedure: Procedure, requirement: Requirement) -> Lack:
    """Made by the step that makes it, or attached by whoever may."""
    makers = [
        step.performer
        for step in procedure.steps
        for product in step.products
        if product.document == requirement.document and requirement.edition in (None, product.edition) and step.performer
    ]
    if makers:
        return Lack(Missing("document", requirement.text, role_names(procedure, dict.fromkeys(makers))))
    return _by_command(procedure, "document", requirement.text, lines.ATTACH, requirement.document or "")


def _gate_lacks(s: Situation, step: Step) -> list[Lack]:
    """Gates not named by a requirement already: a team, which its own steps need too, a grant, or each access that is still open."""
    procedure, case = s.procedure, s.case
    named = {requirement.supply.value for requirement in step.requirements}
    found: list[Lack] = []
    if (Gate.TEAM in step.gates or is_teams(procedure, step)) and not case.team and Gate.TEAM.value not in named:
        found.append(_by_command(procedure, "gate", Gate.TEAM.value, lines.ASSIGN))
    if Gate.GRANT in step.gates and not _holds_grant(case, s.day) and Gate.GRANT.value not in named:
        found.append(_by_command(procedure, "gate", Gate.GRANT.value, lines.GRANT))
    if Gate.REVOKED in step.gates:
        found += [_open_grant(procedure, grant.account, grant.server) for grant in case.open_grants]
    return found


def _open_grant(procedure: Procedure, account: str, server: str) -> Lack:
    return _by_command(procedure, "grant", f"{account} {server}", lines.REVOKE, f"@{account}", server)


def _by_command(procedure: Procedure, kind: str, item: str, word: str, *arguments: str) -> Lack:
    roles = authority(procedure, word)
    return Lack(Missing(kind, item, role_names(procedure, roles)), lines.command_line(word, *arguments), roles)
