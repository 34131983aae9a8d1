"""`decide` is total, its dispatch complete, and nothing in it knows a particular procedure."""

import ast
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import get_args

import pytest

from integration import codec
from integration.procedure import case as case_module
from integration.procedure.case import Case, evolve, fold
from integration.procedure.decide import ALWAYS, WHILE_OPEN, decide
from integration.procedure.definition import COMMANDS, QUESTIONS
from integration.procedure.events import CaseOpened, Entry, Event, Paused
from integration.procedure.facts import (
    SERVICE,
    AccessGiven,
    AccessTaken,
    Attachment,
    Chase,
    CheckAsked,
    CommandUnclear,
    Copy,
    DocumentAttached,
    DocumentFiled,
    EmergencyAsked,
    ErasureOrdered,
    Fact,
    FilesSent,
    Finding,
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
    LinkAsked,
    OrganisationChanged,
    OutcomeChosen,
    PauseAsked,
    PriorityMoved,
    ProgressMade,
    Reminder,
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
    Via,
    WeekDue,
    WeekEnded,
    Withdrawn,
)
from tests.core.office import STRANGER, UNIT, person, submission
from tests.core.run import Run
from tests.core.straight import PATH

VALUES = {
    FormSubmitted: ("SI-2026-000001", submission()),
    FormRevised: (submission(),),
    Withdrawn: ("Tidak jadi",),
    LinkAsked: (1,),
    FilesSent: (1, (Attachment("a.png", "image/png", 1, "a" * 64),)),
    OutcomeChosen: ("selesai", "Alasan", (), Via.COMMENT),
    StepLabelMoved: (9,),
    PriorityMoved: ("kritis",),
    IssueClosed: (),
    IssueReopened: (),
    Ticked: ("18.1", True),
    TeamNamed: (("budi",),),
    ProgressMade: ("2026-W24", 50, ()),
    AccessGiven: ("budi", "srv", "ssh", date(2026, 12, 31)),
    AccessTaken: ("budi", "srv-siakad"),
    DocumentAttached: ("jadwal", ("[a](/uploads/a)",)),
    SignedCopyGiven: ("surat-tugas", "SI-2026-000001/surat-tugas/2", "", "basah", Copy("a" * 64, 9, "image/png"), Finding.SOUND),
    PauseAsked: ("Alasan",),
    ResumeAsked: (),
    HandOffAsked: ("POS Pelayanan Teknis IT Pustikom", "Alasan"),
    EmergencyAsked: ("Alasan",),
    CheckAsked: (),
    HelpAsked: (),
    CommandUnclear: ("apa", None, ""),
    SecretWritten: (),
    IssueLinked: (1, "https://git.example/1"),
    TaskLinked: ("sari", 2, "https://git.example/2"),
    IssueDrifted: (("labels",),),
    DocumentFiled: ("SI-2026-000001/jadwal/1", "1", "a", 1, ""),
    SignedCopyUploaded: ("SI-2026-000001/surat-tugas/2", "a" * 64, "[a](/uploads/a)"),
    IssueLost: (1,),
    StepExpired: (1,),
    ReminderDue: (1, Reminder.ON_THE_DAY, datetime(2026, 6, 2, 9, 0, tzinfo=UTC)),
    OrganisationChanged: (),
    RevisionAdopted: ("2025-05",),
    ErasureOrdered: ("permintaan",),
    FormCorrected: (submission(reporter="Budi Santosa"),),
    WeekDue: ("2026-W24",),
    WeekEnded: ("2026-W24", 5),
    ReportsOwed: ("2026-W24", Chase.REMIND, "budi", ("SI-2026-000001", "SI-2026-000002")),
}


def test_every_kind_of_fact_has_one_rule() -> None:
    assert set(get_args(Fact)) == {FormSubmitted, *WHILE_OPEN, *ALWAYS}
    assert not set(WHILE_OPEN) & set(ALWAYS)
    assert set(VALUES) == set(get_args(Fact))


ACTORS = [UNIT, SERVICE, STRANGER, person("kepala"), person("koordinator"), person("budi")]


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("state", [*PATH, "revisi", "jeda", "akhir"])
def test_at_every_step_every_kind_of_fact_ends_in_something_with_a_name(at, state, kind) -> None:
    start: Run = at(state if isinstance(state, int) else 4)
    start.checked = False
    if state == "revisi":
        start.say("kasi", "revisi", "Kurang jelas")
    elif state == "jeda":
        start.fact(PauseAsked, person("kepala"), "Menunggu")
    elif state == "akhir":
        start.fact(Withdrawn, UNIT, "Tidak jadi")
    for actor in ACTORS:
        run = start.copy()
        decision = run.fact(kind, actor, *VALUES[kind])  # `tell` asserts that it came to something
        moved = [event for event in decision.events if type(event).__name__ in {"StepEntered", "StepLeft", "CaseEnded"}]
        assert not (state == "akhir" and moved), "a case that has ended never moves"
        assert (run.open.step is None) is (run.open.ending is not None)


def test_without_a_case_every_fact_but_the_form_is_ignored(pos) -> None:
    for kind, values in VALUES.items():
        decision = Run(pos).fact(kind, UNIT, *values)
        assert (decision.ignored == "no case") is (kind is not FormSubmitted)


def test_what_is_decided_can_be_kept_and_read_again(at) -> None:
    run = at(31)
    run.portal("terima")
    for entry in run.entries:
        assert codec.EVENTS.load(*codec.EVENTS.dump(entry.event)) == entry.event
    for effect in run.effects:
        assert codec.EFFECTS.load(*codec.EFFECTS.dump(effect)) == effect


def test_the_same_fact_on_the_same_case_is_decided_the_same(at) -> None:
    run = at(20)
    fact = OutcomeChosen("note:1", run.now, person("koordinator"), "dikembalikan", "Kurang", (), Via.COMMENT)
    assert decide(run.procedure, run.organisation, run.case, fact, run.now) == decide(
        run.procedure, run.organisation, run.case, fact, run.now
    )


# --- the fold ---


def test_no_ledger_is_no_case() -> None:
    assert fold([]) is None


def test_a_ledger_begins_with_its_opening(at) -> None:
    run = at(4)
    with pytest.raises(ValueError, match="begins with CaseOpened"):
        fold(run.entries[1:])
    with pytest.raises(ValueError, match="already open"):
        fold([run.entries[0], replace(run.entries[0], seq=2)])


def test_every_event_is_folded_wherever_it_comes(at) -> None:
    """A fold decides nothing: it takes any event at any point of a ledger."""
    seen = {type(entry.event): entry.event for step in (4, 31) for entry in at(step).entries}
    case, last = at(31).open, at(31).entries[-1]
    for event in seen.values():
        if not isinstance(event, CaseOpened):
            assert isinstance(evolve(case, Entry(last.seq + 1, last.at, SERVICE, "x", event)), Case)
    opened = evolve(None, at(4).entries[0])
    for name in ("DebtPaid", "Resumed", "CaseEnded"):
        (kind,) = [kind for kind in get_args(Event) if kind.__name__ == name]
        values = {"DebtPaid": (9,), "Resumed": (None,), "CaseEnded": ("dibatalkan", "")}[name]
        assert evolve(opened, Entry(2, last.at, SERVICE, "x", kind(*values))).last_seq == 2


def test_where_a_case_stood_when_it_was_left_is_known(at) -> None:
    run = at(6)
    assert set(run.open.left_at) == {1, 2, 3, 4, 5}
    run.fact(PauseAsked, person("kepala"), "Menunggu")
    assert isinstance(run.entries[-1].event, Paused)
    assert {field.name for field in fields(Case)} >= {"ticket", "step", "round", "team", "written", "documents"}


# --- generic ---


def test_nothing_in_the_engine_names_a_step_a_role_or_a_word_of_a_procedure(pos, tiny) -> None:
    words = set()
    for procedure in (pos, tiny):
        words |= {role.slug for role in procedure.roles} | {role.name for role in procedure.roles}
        words |= {outcome.word for step in procedure.steps for outcome in step.outcomes}
        words |= {document.slug for document in procedure.documents} | {step.name for step in procedure.steps}
        words |= {section.title for step in procedure.steps for section in step.sections} | {procedure.slug, procedure.prefix}
    notes = {"selesai"}  # also the name of an ending, which the contract fixes
    for path in Path(case_module.__file__).parent.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        assert not (texts & words) - notes - COMMANDS - QUESTIONS, path.name
