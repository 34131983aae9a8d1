"""Whoever must act does what the procedure asks, whichever procedure it is, and leaves the step forward."""

from integration.procedure.definition import Channel, Gate, OutcomeKind, Step, Supply
from integration.procedure.facts import (
    AccessGiven,
    AccessTaken,
    Actor,
    DocumentAttached,
    FormRevised,
    ProgressMade,
    ResumeAsked,
    TeamNamed,
    Ticked,
    Via,
)
from integration.procedure.facts import OutcomeChosen as Chosen
from tests.core.office import ROLES, UNIT, person, submission
from tests.core.run import Run, written_for

PARTS = ("Tahapan pekerjaan yang telah diselesaikan", "Kendala dan solusi", "Dokumentasi pendukung")


def actor(run: Run, role: str) -> Actor:
    """Somebody who holds a role of the case's procedure."""
    if run.procedure.role(role).channel is Channel.PORTAL:
        return UNIT
    return person(run.open.team[0] if run.procedure.role(role).team else ROLES[role])


def by_command(run: Run, word: str) -> Actor:
    """Somebody who may give a command."""
    return actor(run, run.procedure.authority[word][0])


def go_on(run: Run) -> None:
    """One step further."""
    procedure, step, stay = run.procedure, run.procedure.step(run.at), run.open.entered_seq
    if run.open.paused_since:
        run.fact(ResumeAsked, by_command(run, "lanjut"))
    if step.number == procedure.revises_at:
        run.fact(FormRevised, UNIT, submission())
        return
    _prepare(run, step)
    word = next(outcome.word for outcome in step.outcomes if outcome.kind is OutcomeKind.FORWARD)
    by = actor(run, step.performer or "")
    if procedure.duty and (step.number, word) == (procedure.duty.step, procedure.duty.outcome):
        _report(run)
    elif by == UNIT:
        run.fact(Chosen, UNIT, word, "Baik", (), Via.PORTAL)
    else:
        run.fact(Chosen, by, word, "", written_for(run, word), Via.COMMENT)
    assert run.open.ending or run.open.entered_seq != stay, f"nobody gets on at {step.number}: {run.entries[-1].event}"


def to_the_end(run: Run) -> None:
    """All the way."""
    for _ in range(80):
        if run.open.ending:
            return
        go_on(run)
    raise AssertionError("it never ends")


def _report(run: Run) -> None:
    assert run.procedure.duty
    by = by_command(run, run.procedure.duty.word)
    run.fact(ProgressMade, by, "2026-W23", 50, tuple((part, "Isi") for part in PARTS))


def _prepare(run: Run, step: Step) -> None:
    procedure, case = run.procedure, run.open
    supplies = {requirement.supply for requirement in step.requirements}
    performer = procedure.role(step.performer or "")
    if not case.team and (performer.team or Gate.TEAM in step.gates or Supply.TEAM in supplies):
        run.fact(TeamNamed, by_command(run, "tugaskan"), ("budi", "sari"))
    if not run.open.open_grants and (Gate.GRANT in step.gates or Supply.GRANT in supplies):
        until = run.now.date().replace(month=12, day=31)
        run.fact(AccessGiven, by_command(run, "akses"), "budi", "srv-siakad", "ssh", until)
    if Gate.REVOKED in step.gates:
        for grant in run.open.open_grants:
            run.fact(AccessTaken, by_command(run, "cabut-akses"), grant.account, grant.server)
    if Supply.REPORT in supplies and not case.reports and procedure.duty and step.number != procedure.duty.step:
        _report(run)
    for requirement in step.requirements:
        if requirement.document and not procedure.document(requirement.document).template:
            run.fact(DocumentAttached, by_command(run, "lampir"), requirement.document, ("[a](/uploads/a)",))
        if requirement.supply is Supply.TICK and requirement.id not in run.open.ticks:
            run.fact(Ticked, actor(run, performer.slug), requirement.id, done=True)
