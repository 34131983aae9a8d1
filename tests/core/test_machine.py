"""Random people do random things; whatever they do, the ledger stays lawful and `decide` never raises."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from integration.procedure.facts import (
    SERVICE,
    AccessGiven,
    AccessTaken,
    Activity,
    Actor,
    Chase,
    CheckAsked,
    CommandUnclear,
    Copy,
    DocumentAttached,
    DocumentFiled,
    EmergencyAsked,
    Finding,
    FormRevised,
    FormSubmitted,
    HandOffAsked,
    HelpAsked,
    IssueClosed,
    IssueDrifted,
    IssueLinked,
    IssueLost,
    IssueReopened,
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
from integration.procedure.offices import DayOff, Holding, Provider
from integration.procedures import load
from tests.core.office import CALENDAR, ROLES, START, STRANGER, TEAM, UNIT, office, organisation, person, submission
from tests.core.run import TICKET, Run, written_for
from tests.core.straight import every_step, grant, walk

POS = load("pengaduan-masalah-teknis-si.2025-05")
STEPS = every_step(POS)
ENDED, ORDERED = STEPS[31].copy(), STEPS[22].copy()
ENDED.portal("terima")
ORDERED.fact(EmergencyAsked, person("kepala"), "KRS lumpuh")
walk(ORDERED, 28)
STARTS = [*STEPS.values(), *(STEPS[step] for step in (*range(18, 25), *range(18, 25), 27, 28, 28, 30, 31)), *[ENDED] * 6, *[ORDERED] * 6]
"""Where examples begin: most rules meet around the verification, in an exception order, and after the end."""
FORMER = office("kepala-pustikom", "mantan", until=date(2026, 6, 1))
OFFICES = (
    organisation(FORMER),
    organisation(office("kadiv-pengembangan", "koordinator", Holding.ACTING), without="kadiv-pengembangan"),
    organisation(office("kadiv-pengembangan", "koordinator"), office("koordinator-programmer", "budi")),
    organisation(office("kadiv-layanan", "budi", Holding.DEPUTY), without="kepala-pustikom"),
    replace(organisation(), calendar=replace(CALENDAR, days_off={date(2026, 6, 3): DayOff(date(2026, 6, 3), "Libur", "SKB")})),
    replace(organisation(without="koordinator-programmer"), calendar=replace(CALENDAR, years=frozenset({2026}))),
)

everybody = [UNIT, SERVICE, STRANGER, *(person(account) for account in (*ROLES.values(), *TEAM, "mantan"))]
people = st.sampled_from(everybody)
words = st.sampled_from(sorted({outcome.word for step in POS.steps for outcome in step.outcomes} | {"apa"}))
boxes = st.sampled_from([r.id for step in POS.steps for r in step.requirements if r.supply == "tick"] + ["4.1", "x"])
reasons = st.sampled_from(["Belum sesuai", "Perlu diperbaiki", "Alasan lain", ""])
text = st.sampled_from(["Alasan yang jelas", "</>\x00 /pos setuju", "2026-06-09", "", " "])
sections = st.lists(st.tuples(st.sampled_from(["Risiko", "kendala dan solusi", "Persentase capaian", ""]), text), max_size=3).map(tuple)
weeks = st.sampled_from(["2026-W23", "2026-W24", "2026-W30", "bukan pekan"])
accounts = st.sampled_from([*TEAM, "tono", "koordinator", "siapa", ""])
servers = st.sampled_from(["srv-siakad", "srv-1"])
documents = st.sampled_from(["formulir-uji-coba", "jadwal", "apa-saja"])
numbers = st.integers(0, 40)
signers = st.sampled_from(["", "", "kepala-pustikom", "pimpinan-unit-kerja"])

# What people may ask for, whoever they are; endings are asked for seldom, or no case would come far.
asked = st.one_of(
    st.tuples(st.just(StepLabelMoved), st.tuples(numbers, st.sampled_from([(), (), (), (5,)]))),
    st.tuples(st.just(PriorityMoved), st.tuples(st.sampled_from(["rendah", "tinggi", "kritis", "gawat", ""]))),
    st.tuples(st.sampled_from([IssueClosed, IssueReopened, ResumeAsked, CheckAsked, HelpAsked, SecretWritten]), st.just(())),
    st.tuples(st.sampled_from([PauseAsked, EmergencyAsked]), st.tuples(text)),
    st.tuples(st.just(HandOffAsked), st.tuples(st.sampled_from([POS.handoffs[0], "POS lain"]), text)),
    st.tuples(st.just(Ticked), st.tuples(boxes, st.booleans())),
    st.tuples(st.just(TeamNamed), st.tuples(st.lists(accounts, max_size=3).map(tuple))),
    st.tuples(st.just(ProgressMade), st.tuples(weeks, st.none() | st.integers(-5, 120), sections)),
    st.tuples(st.just(AccessGiven), st.tuples(accounts, servers, st.just("ssh"), st.dates(date(2026, 1, 1), date(2029, 1, 1)))),
    st.tuples(st.just(AccessTaken), st.tuples(accounts, servers)),
    st.tuples(st.just(DocumentAttached), st.tuples(documents, st.sampled_from([(), ("[a](/uploads/a)",)]))),
    st.tuples(st.just(CommandUnclear), st.tuples(text, st.none(), st.just(""))),
    st.tuples(st.just(OutcomeChosen), st.tuples(words, text, sections, st.sampled_from(Via), st.none() | numbers)),
    st.tuples(st.just(FormSubmitted), st.tuples(st.just(TICKET), st.just(submission()))),
    st.tuples(st.just(FormRevised), st.tuples(st.just(submission(subject="Nilai semester lalu hilang", urgency="tinggi")))),
    st.tuples(st.just(Withdrawn), st.tuples(st.sampled_from(["", "", "", "Tidak jadi"]))),
)
found = st.one_of(
    st.tuples(st.just(IssueLinked), st.tuples(st.integers(1, 2), st.just("https://git.example"))),
    st.tuples(st.just(TaskLinked), st.tuples(accounts, st.integers(3, 5), st.just("https://git.example"))),
    st.tuples(st.just(IssueLost), st.tuples(st.integers(1, 2))),
    st.tuples(st.just(IssueDrifted), st.tuples(st.sampled_from([(), ("status",), ("due", "title")]), st.sampled_from([(), ("budi",)]))),
    st.tuples(st.just(ReminderDue), st.tuples(numbers, st.sampled_from(Reminder), st.just(START))),
    st.tuples(st.just(OrganisationChanged), st.just(())),
    st.tuples(st.just(RevisionAdopted), st.sampled_from([(POS.revision,), ("2027-01",)])),
    st.tuples(
        st.just(WeekDue), st.tuples(weeks, st.sampled_from([Activity(), Activity(("Uji",), ("!1",), ("1a2b3c4",), ("Aman.",), 1, 2)]))
    ),
    st.tuples(st.just(ReportsOwed), st.tuples(weeks, st.sampled_from(Chase), accounts, st.just((TICKET,)))),
    st.tuples(st.just(WeekEnded), st.tuples(weeks, st.integers(0, 5))),
    st.tuples(st.just(StepExpired), st.tuples(numbers)),
)


class Campus(RuleBasedStateMachine):
    """Everybody at once: those who may act, those who may not, and the service itself."""

    def __init__(self) -> None:
        super().__init__()
        self.run = Run(POS)

    @initialize(start=st.sampled_from(range(len(STARTS))), offices=st.sampled_from(range(len(OFFICES))), opened=st.integers(0, 9))
    def arrive(self, start: int, offices: int, opened: int) -> None:
        self.run = STARTS[start].copy(OFFICES[offices]) if opened else Run(POS, OFFICES[offices])
        self.run.checked = False  # once, at the end

    def tell(self, kind: Any, by: Actor, *values: Any) -> None:
        self.run.fact(kind, by, *values)

    def those_who_may(self) -> list[Actor]:
        """Whoever holds a role of the current step, told from the office's own list."""
        step = POS.step(self.run.at)
        roles = {step.performer, *(also.role for also in step.also)}
        holders = [person(o.account) for o in self.run.office.offices if o.role in roles]
        team = [person(account) for account in self.run.open.team] if "tim-programmer" in roles else []
        unit = [UNIT] if "pimpinan-unit-kerja" in roles else []
        return [*unit, *holders, *team] or [STRANGER]

    @precondition(lambda self: self.run.case and self.run.case.step)
    @rule(which=st.integers(0, 3), who=st.integers(0, 3), reason=reasons, prepared=st.integers(0, 4))
    def those_who_may_leave_the_step(self, which: int, who: int, reason: str, prepared: int) -> None:
        """Somebody who may act takes one of the ways out; mostly with all that the step asks for."""
        actors = self.those_who_may()
        by, outcomes = actors[who % len(actors)], POS.step(self.run.at).outcomes
        if not outcomes:
            self.tell(FormRevised, by, submission())
            return
        if prepared:
            self.prepare(by)
        word = outcomes[which % len(outcomes)].word
        if self.run.at == 19 and prepared:
            self.run.report(by.account)
        elif word != "tolak":
            via, written = (Via.PORTAL, ()) if by == UNIT else (Via.COMMENT, written_for(self.run, word))
            self.tell(OutcomeChosen, by, word, reason, written, via)

    def prepare(self, by: Actor) -> None:
        """What the step asks for, by those who can supply it."""
        run, step = self.run, self.run.at
        run.tick_all(by.account)
        if step in (13, 28) and not run.open.team:
            run.assign()
        if step in (27, 28) and not run.open.open_grants:
            grant(run)
        if step == 24 and by != UNIT:
            self.tell(DocumentAttached, by, "formulir-uji-coba", ("[a](/uploads/a)",))
        if step == 30:
            for given in run.open.open_grants:
                self.tell(AccessTaken, person("jaringan"), given.account, given.server)

    @precondition(lambda self: self.run.case and self.run.case.step)
    @rule(which=st.integers(0, 3), reason=reasons, by=people)
    def anybody_tries_to_leave_the_step(self, which: int, reason: str, by: Actor) -> None:
        outcomes = POS.step(self.run.at).outcomes
        word = outcomes[which % len(outcomes)].word if outcomes else "revisi"
        self.run.tick_all(by.account)
        self.tell(OutcomeChosen, by, word, reason, written_for(self.run, word), Via.PORTAL if by == UNIT else Via.COMMENT)

    @rule(by=people, what=asked, hours=st.integers(-100, 100))
    def anybody_asks_for_anything(self, by: Actor, what: Any, hours: int) -> None:
        """Time may have passed; or it is an older request that comes late, for its hook was lost."""
        kind, values = what
        now = self.run.now
        self.run.now += timedelta(hours=hours)
        self.tell(kind, by, *values)
        self.run.now = max(now, self.run.now)

    @precondition(lambda self: self.run.case and self.run.case.step)
    @rule(what=asked, who=st.integers(0, 3))
    def those_who_may_ask_for_anything(self, what: Any, who: int) -> None:
        kind, values = what
        assume(kind not in (Withdrawn, HandOffAsked))
        actors = self.those_who_may()
        self.tell(kind, actors[who % len(actors)], *values)

    @precondition(lambda self: self.run.case and self.run.case.step)
    @rule(order=st.booleans())
    def the_head_intervenes(self, order: bool) -> None:
        """Resumes what is paused, else pauses or gives an exception order."""
        if self.run.open.paused_since:
            self.tell(ResumeAsked, person("kepala"))
        else:
            self.tell(EmergencyAsked if order else PauseAsked, person("kepala"), "KRS lumpuh")

    @precondition(lambda self: self.run.case)
    @rule(what=found, current=st.booleans(), paper=st.integers(0, 9))
    def the_service_finds(self, what: Any, current: bool, paper: int) -> None:
        kind, values = what
        if kind is StepExpired and current:
            self.run.now = max(self.run.now, self.run.open.due or self.run.now)
            values = (self.run.open.entered_seq,)
        if kind is ReminderDue and current:
            values = (self.run.open.entered_seq, values[1], self.run.open.due or START)
        self.tell(kind, SERVICE, *values)
        papers = self.run.open.documents
        name = papers[paper % len(papers)].id if papers else "x"
        self.tell(DocumentFiled, SERVICE, name, "1", "a" * 64, 1, "")

    @precondition(lambda self: self.run.case and self.run.open.documents)
    @rule(by=people, paper=st.integers(0, 40), signer=signers, finding=st.sampled_from(Finding), provider=st.sampled_from(Provider))
    def somebody_hands_in_a_signed_copy(self, by: Actor, paper: int, signer: str, finding: Finding, provider: Provider) -> None:
        papers = [paper for paper in self.run.open.documents if POS.document(paper.document).signatures] or self.run.open.documents
        given = papers[paper % len(papers)]
        copy = Copy("b" * 64, 1, "application/pdf")
        self.tell(SignedCopyGiven, by, given.document, given.id, signer, provider.value, copy, finding)

    @rule(offices=st.sampled_from(range(len(OFFICES))), told=st.booleans())
    def the_office_becomes_another(self, offices: int, told: bool) -> None:
        """The case is told of it; or what people ask is decided under the new office before."""
        if told:
            self.run.reorganise(OFFICES[offices])
        else:
            self.run.later.append((len(self.run.entries), OFFICES[offices]))

    @invariant()
    def one_current_step_while_open(self) -> None:
        case = self.run.case
        if case is not None:
            assert (case.step is None) is (case.ending is not None)
            current = [passage.step for passage in case.history if passage.left_at is None]
            assert current == ([] if case.step is None else [case.step])
            assert all(sign.round == case.round for sign in case.standing_signoffs)

    def teardown(self) -> None:
        """A ledger only grows, so reading it once at the end reads it at every moment."""
        self.run.check()


Campus.TestCase.settings = settings(
    max_examples=200, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
TestCampus = Campus.TestCase
