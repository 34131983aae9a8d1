"""What notes and the portal are told, as plain values: JSON and nothing else, dates as ISO strings, no sentence.

People are named only where a note needs them: to ask them to act, or to say who did something.
"""

from collections.abc import Iterable
from datetime import date, datetime

from integration.procedure.case import Case
from integration.procedure.deadlines import skipped
from integration.procedure.definition import Gate, Procedure, Step, Supply
from integration.procedure.events import Missing
from integration.procedure.guards import Code, Refusal, paused, usual
from integration.procedure.lines import ASSIGN, command_line, headings, outcome_line, way_forward
from integration.procedure.offices import Organisation, WorkCalendar
from integration.procedure.people import Capacity, Performer, Situation, eligible, is_typed, lacks_team, performers, vacancy
from integration.procedure.requirements import lacks, satisfied
from integration.procedure.route import destination

Context = dict[str, object]


def iso(moment: date | datetime | None) -> str | None:
    """A moment or a day as text; None stays None."""
    return moment.isoformat() if moment else None


def persons(found: Iterable[Performer]) -> list[Context]:
    """People to be asked, or named as those who may."""
    return [{"account": p.account, "name": p.name, "role": p.role, "office": p.office} for p in found]


def accounts(organisation: Organisation, named: Iterable[str]) -> list[Context]:
    """People by account, with their names where the organisation knows them."""
    known = {o.account: o.name for o in organisation.offices} | {p.account: p.name for p in organisation.programmers}
    return [{"account": account, "name": known.get(account, account)} for account in named]


def days_off(calendar: WorkCalendar, case: Case) -> list[Context]:
    """The days without work between the current step's entering and its due time, each with its decree; none while no clock runs."""
    if case.entered_at is None or case.due is None or case.paused_since:
        return []
    return [{"day": iso(off.day), "name": off.name, "decree": off.decree} for off in skipped(calendar, case.entered_at, case.due)]


def missing(items: Iterable[Missing]) -> list[Context]:
    """What is missing, item by item."""
    return [{"kind": m.kind, "item": m.item, "suppliers": list(m.suppliers)} for m in items]


def grants(case: Case) -> list[Context]:
    """Access that is still open."""
    return [{"account": grant.account, "server": grant.server} for grant in case.open_grants]


def name_of(s: Situation) -> str:
    """Who asked, as people call them."""
    return s.by.name or s.by.account


def actor(s: Situation, held: Capacity | None) -> Context:
    """Who decided, and in what capacity."""
    role = s.procedure.role(held.role).name if held else ""
    return {"by": name_of(s), "role": role, "office": held.office if held else ""}


def debts(procedure: Procedure, owed: Iterable[tuple[int, date | None]]) -> list[Context]:
    """Steps skipped under an exception order: by when each is owed, and the papers it makes on the way forward."""
    steps = [(procedure.step(number), day) for number, day in owed]
    return [{"step": step.number, "name": step.name, "due": iso(day), "papers": papers_owed(procedure, step)} for step, day in steps]


def papers_owed(procedure: Procedure, step: Step, *, for_unit: bool = False) -> list[str]:
    """The titles of what a step makes on the way forward: owed with it where an exception order skipped it. `for_unit`: of what it gets."""
    forward = way_forward(step)
    made = [(procedure.document(product.document), product) for product in step.products if forward and forward.word in product.on]
    return list(dict.fromkeys(document.title for document, product in made if document.reaches_unit(product.edition) or not for_unit))


def refusal(s: Situation, asked: str, refused: Refusal) -> Context:
    """A refusal: addressed to the account that asked. What was overtaken also says who left the step before, and by which word."""
    return (_before(s) if refused.code is Code.OVERTAKEN else {}) | {
        "code": refused.code.value,
        "asked": asked,
        "by": s.by.account,
        "step": s.case.step,
        "step_name": s.step.name if s.step else "",
        "missing": missing(refused.missing),
        "may_act": persons(refused.may_act),
        "line": refused.line,
        "sections": list(refused.sections),
        "appoint": persons(refused.appoint),
    }


def _before(s: Situation) -> Context:
    passage = s.case.history[-2]
    by = passage.by.name or passage.by.account if passage.by else ""
    return {"by_other": by, "done": passage.outcome, "done_step": passage.step, "done_step_name": s.procedure.step(passage.step).name}


def position(s: Situation, step: Step) -> Context:
    """Where the case stands now: who must do what by when. `line` and `sections`: what they type; none where the unit acts.

    `no_team`: a team is to be named first; then that is what they do, and the line. `choose_team`: whom it could be is said, too, which
    `candidates` are is known when it is written. `vacant`: nobody may act in the role that is asked;
    then `may_act` are those who may in its place, and `appoint` those who name a stand-in.
    """
    case, outcome = s.case, way_forward(step)
    no_team = lacks_team(s.procedure, case, step)
    typed = None if case.waits_for_unit or no_team else outcome
    vacant = vacancy(s.procedure, s.organisation, case, s.day)
    open_ticks = (r for r in step.requirements if r.supply is Supply.TICK and r.id not in case.ticks)
    return {
        "step": step.number,
        "step_name": step.name,
        "performers": persons(performers(s.procedure, s.organisation, case, s.day)),
        "vacant": vacant is not None,
        "may_act": persons(vacant.may_act if vacant else ()),
        "appoint": persons(vacant.appoint if vacant else ()),
        "waits_for_unit": case.waits_for_unit,
        "due": iso(case.due),
        "gap": case.gap,
        "no_team": no_team,
        "choose_team": no_team or (Gate.TEAM in step.gates and not case.team),
        "candidates": [],
        "line": outcome_line(s.procedure, step, typed) if typed else command_line(ASSIGN) if no_team else "",
        "sections": list(headings(s.procedure, step, typed)) if typed else [],
        "requirements": [requirement.text for requirement in open_ticks],
        "round": case.round,
    }


def check(s: Situation) -> Context:
    """The answer to "where does it stand": what the current step has, what it lacks, and the ways out of it."""
    case, step = s.case, s.step
    if step is None:
        nothing: Context = {name: [] for name in ("satisfied", "missing", "may_act", "sections", "outcomes", "candidates")}
        nothing |= {"paused": False, "waits_for_unit": False, "due": None, "gap": None, "line": ""}
        return nothing | {"step": None, "step_name": "", "status": case.status.value}
    _, lacking = lacks(s, step, ())
    answer = position(s, step) | {
        "status": case.status.value,
        "paused": case.paused_since is not None,
        "satisfied": [r.text for r in step.requirements if satisfied(s.procedure, case, r, s.day)],
        "missing": missing(lack.missing for lack in lacking),
        "may_act": persons(eligible(s, step)),
        "outcomes": outcomes(s, step),
    }
    if case.paused_since is None and not answer["no_team"]:
        return answer
    first = paused(s) if case.paused_since else usual(s, step, Code.NO_TEAM)
    return answer | {"may_act": persons(first.may_act), "line": first.line, "sections": list(first.sections)}


def outcomes(s: Situation, step: Step) -> list[Context]:
    """The words that leave the current step, and where each leads; `ending` is "" for those that lead to a step.

    None where they are said in the portal only: nobody types them.
    """
    if not is_typed(s.procedure, step):
        return []
    ways = [(outcome, destination(s.procedure, s.case, step, outcome)) for outcome in step.outcomes]
    return [
        {
            "word": outcome.word,
            "kind": outcome.kind.value,
            "to_name": s.procedure.step(to).label_text if to else "",
            "ending": outcome.ending.value if outcome.ending else "",
            "needs_reason": outcome.needs_reason,
        }
        for outcome, to in ways
    ]


def portal(s: Situation) -> Context:
    """What every call of the portal says (contract.md, "Service -> portal"); no step and nobody's turn once the case has ended.

    `batas`: None while no clock runs, so also in a pause.
    """
    case, step = s.case, s.step
    due = None if case.paused_since else case.due
    performer = step.performer if step else None
    return {
        "tiket": case.ticket,
        "status": case.status.value,
        "langkah": case.step,
        "nama_langkah": step.name if step else "",
        "giliran": s.procedure.role(performer).name if performer else "",
        "batas": due.astimezone(s.organisation.calendar.tz).isoformat(timespec="seconds") if due else None,
    }
