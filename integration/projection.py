"""What the platform must show of a case: title, labels, assignee, due date, open or closed, and the words of the region; pure.

All of it is computed from the ledger. Nothing shown is ever read back as the truth.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from integration import neutral
from integration.issue import IssueFields
from integration.labels import Family, named, step_label
from integration.procedure import contexts, lines
from integration.procedure.case import Case, Paper, SignOff
from integration.procedure.definition import DRAFT, Also, Channel, Outcome, Procedure, Requirement, Step, Supply
from integration.procedure.forecast import finish
from integration.procedure.offices import Organisation
from integration.procedure.papers import Standing, signers, standing, superseding, to_sign
from integration.procedure.people import assignee, lacks_team, performers, role_names, step_roles, vacancy
from integration.procedure.requirements import satisfied
from integration.procedure.route import destination

Json = dict[str, object]

WEEKS = 8  # of progress shown


@dataclass(frozen=True, slots=True)
class View:
    """The issue as the ledger has it. `region` is the context of templates/description/region.md."""

    title: str
    labels: frozenset[str]
    assignee: str
    due: date | None
    open: bool
    region: Json

    def fields(self, description: str) -> IssueFields:
        """These with a finished description, to be compared with the issue."""
        return IssueFields(self.title, description, self.labels, self.assignee, self.due, self.open, confidential=True)


def project(procedure: Procedure, organisation: Organisation, case: Case, day: date) -> View:
    """What the platform must show of this case on `day`, the organisation's date: offices are held by days."""
    due = None if case.due is None or case.paused_since else case.due.astimezone(organisation.calendar.tz).date()
    return View(
        title=neutral.title(f"[{case.ticket}] {case.submission.about}"),
        labels=frozenset(_labels(procedure, case)),
        assignee=assignee(procedure, organisation, case, day) or "",
        due=due,
        open=case.step is not None,
        region=_region(procedure, organisation, case, day),
    )


def _labels(procedure: Procedure, case: Case) -> Iterator[str]:
    yield named(Family.PROCEDURE, procedure.prefix)
    yield named(Family.STATUS, case.status)
    yield named(Family.PRIORITY, case.priority)
    if case.step is not None:
        step = procedure.step(case.step)
        yield step_label(procedure.step(max(step.number, procedure.opens_at)))  # steps before were recorded and have no column
        if step.performer:
            yield named(Family.ROLE, procedure.role(step.performer).name)


def _region(procedure: Procedure, organisation: Organisation, case: Case, day: date) -> Json:
    step = None if case.step is None else procedure.step(case.step)
    vacant = vacancy(procedure, organisation, case, day)
    return {
        "status": str(case.status),
        "priority": case.priority,
        "version": len(case.submissions),
        "last_step": procedure.steps[-1].number,
        "step": None if step is None else _step(procedure, case, step, day),
        "people": contexts.persons(performers(procedure, organisation, case, day)),
        "vacant": vacant is not None,
        "may_act": contexts.persons(vacant.may_act if vacant else ()),
        "appoint": contexts.persons(vacant.appoint if vacant else ()),
        "resume": lines.command_line(lines.RESUME) if case.paused_since else "",
        "due": case.due.isoformat() if case.due and not case.paused_since else None,
        "skipped": contexts.days_off(organisation.calendar, case),
        "finish": _finish(procedure, organisation, case),
        "pause": {"since": case.paused_since.isoformat(), "reason": case.pause_reason} if case.paused_since else None,
        "gap": case.gap,
        "round": case.round,
        "proposed": [_person(organisation, account) for account in case.proposed],
        "team": [_person(organisation, account) for account in case.team],
        "signoffs": [_signoff(procedure, case, sign) for sign in case.signoffs],
        "papers": papers(procedure, case),
        "signing": organisation.papers.provider is not None,
        "grants": [{"account": g.account, "server": g.server, "right": g.right, "until": g.until.isoformat()} for g in case.open_grants],
        "report": {"week": case.reports[-1].week, "percent": case.reports[-1].percent} if case.reports else None,
        "history": _history(case),
        "emergency": _emergency(case),
        "debts": contexts.debts(procedure, case.debts),
        "ending": None if case.ending is None else {"reason": case.ending_reason, "target": case.ending_target},
    }


def _finish(procedure: Procedure, organisation: Organisation, case: Case) -> Json | None:
    """The forecast by what the case alone says, so that an issue nobody touches stays as it is; of a late one nothing can be said."""
    expected = None if case.late else finish(procedure, organisation.calendar, case)
    return {"from": expected[0].isoformat(), "to": expected[1].isoformat()} if expected else None


def _history(case: Case) -> list[Json]:
    """The last weeks reported on, each with its last report; `change`: percentage points since the week before it that was reported on."""
    of_week = {report.week: report.percent for report in case.reports}
    weeks = sorted(of_week)
    changes = [None, *(of_week[week] - of_week[before] for before, week in pairwise(weeks))]
    rows: list[Json] = [{"week": week, "percent": of_week[week], "change": change} for week, change in zip(weeks, changes, strict=False)]
    return rows[-WEEKS:]


def _emergency(case: Case) -> Json | None:
    """The exception order, while something is owed under it."""
    since, order = case.ordered_at, case.emergency
    return {"reason": order.reason, "since": since.isoformat()} if since and order else None


def _step(procedure: Procedure, case: Case, step: Step, day: date) -> Json:
    no_team = lacks_team(procedure, case, step)
    forward = None if no_team else lines.way_forward(step)
    return {
        "number": step.number,
        "name": step.name,
        "text": step.text,
        "standard": step.standard.text if step.standard else "",
        "unit": step.performer is not None and procedure.role(step.performer).channel is Channel.PORTAL,
        "roles": list(role_names(procedure, step_roles(step))),
        "requirements": [_requirement(procedure, case, requirement, day) for requirement in step.requirements],
        "line": lines.outcome_line(procedure, step, forward) if forward else lines.command_line(lines.ASSIGN) if no_team else "",
        "headings": list(lines.headings(procedure, step, forward)) if forward else [],
        "outcomes": [_outcome(procedure, case, step, outcome) for outcome in step.outcomes],
        "attachments": [_attachment(procedure, also) for also in step.also if also.attachment],
    }


def _requirement(procedure: Procedure, case: Case, requirement: Requirement, day: date) -> Json:
    """An item of the kelengkapan. `kind`: what supplies it; only a "tick" is a box people set."""
    return {
        "id": requirement.id,
        "text": requirement.text,
        "kind": requirement.supply.value,
        "tick": requirement.supply is Supply.TICK,
        "done": satisfied(procedure, case, requirement, day),
    }


def _attachment(procedure: Procedure, also: Also) -> Json:
    """What a second role attaches before it may record what the performer said elsewhere (POS step 24)."""
    document = also.attachment or ""
    title = procedure.document(document).title
    return {"role": procedure.role(also.role).name, "title": title, "line": lines.command_line(lines.ATTACH, document)}


def _outcome(procedure: Procedure, case: Case, step: Step, outcome: Outcome) -> Json:
    to = destination(procedure, case, step, outcome)
    return {
        "line": lines.outcome_line(procedure, step, outcome),
        "kind": outcome.kind.value,
        "to": None if to is None else {"number": to, "name": procedure.step(to).name},
        "ending": outcome.ending.value if outcome.ending else "",
    }


def _person(organisation: Organisation, account: str) -> Json:
    programmer = organisation.programmer(account)
    return {"account": account, "name": programmer.name if programmer else account}


def _signoff(procedure: Procedure, case: Case, sign: SignOff) -> Json:
    return {
        "step": sign.step,
        "step_name": procedure.step(sign.step).name,
        "name": sign.name,
        "role": f"{sign.office} {procedure.role(sign.role).name}".strip(),
        "at": sign.at.isoformat(),
        "round": sign.round,
        "accepted": sign.accepted,
        "stale": sign.round != case.round,
        "exemption": sign.exemption,
    }


def papers(procedure: Procedure, case: Case) -> list[Json]:
    """Each document in its newest version, in the order they were first issued; number and link are "" until it is filed.

    `replaces`: the version whose place it took. `in_force`: the approved one that counts while the newest is but a draft. None without.
    `signed`: its signed copies, oldest first; `complete`: whether all are there; `to_sign`: in what capacities it is to be signed yet, in
    their order, and `line`: by which the next signed copy is handed in.
    """
    newest = {paper.document: paper for paper in case.documents}
    return [_paper(procedure, case, paper) for paper in newest.values()]


def _paper(procedure: Procedure, case: Case, paper: Paper) -> Json:
    earlier = [p for p in reversed(case.documents) if p.document == paper.document and p is not paper]
    replaced = next((p for p in earlier if superseding(procedure, case, p) is paper), None)
    in_force = next((p for p in earlier if paper.edition == DRAFT and standing(procedure, case, p) is Standing.VALID), None)
    waiting = to_sign(procedure, case, in_force or paper)
    several = len(signers(procedure, case, in_force or paper)) > 1
    return {
        "document": paper.document,
        "title": procedure.document(paper.document).title,
        "edition": paper.edition,
        "version": paper.version,
        "number": paper.number,
        "link": paper.link,
        "replaces": replaced.version if replaced else None,
        "in_force": {"version": in_force.version, "link": in_force.link} if in_force else None,
        "signed": [{"capacity": copy.capacity, "link": copy.link} for copy in (in_force or paper).copies],
        "complete": (in_force or paper).of_record is not None,
        "to_sign": [signing.capacity for signing in waiting],
        "line": lines.sign_line(paper.document, waiting[0].role if several else "") if waiting else "",
    }
