"""Random people do random things; whatever they do, the ledger stays lawful and `decide` never raises."""

from datetime import date, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from integration.procedure.definition import Procedure
from integration.procedure.facts import (
    SERVICE,
    AccessGiven,
    AccessTaken,
    CheckAsked,
    CommandUnclear,
    DocumentAttached,
    DocumentFiled,
    EmergencyAsked,
    FormRevised,
    FormSubmitted,
    HandOffAsked,
    HelpAsked,
    IssueClosed,
    IssueDrifted,
    IssueLinked,
    IssueReopened,
    OutcomeChosen,
    PauseAsked,
    ProgressMade,
    ResumeAsked,
    SecretWritten,
    StepExpired,
    StepLabelMoved,
    TeamNamed,
    Ticked,
    Via,
    WeekDue,
    WeekEnded,
    Withdrawn,
)
from integration.procedure.offices import Holding
from integration.procedures import load
from tests.core.office import ROLES, STRANGER, TEAM, UNIT, office, organisation, person, submission
from tests.core.run import TICKET, Run, kinds, written_for
from tests.core.straight import PATH, every_step, grant

POS = load("pengaduan-masalah-teknis-si.2025-05")
STEPS = every_step(POS)
OFFICES = (
    organisation(),
    organisation(office("kadiv-pengembangan", "koordinator", Holding.ACTING), without="kadiv-pengembangan"),
    organisation(office("kadiv-layanan", "pengembangan"), office("koordinator-programmer", "budi")),
    organisation(without="kepala-pustikom"),
)
MOVES = {"StepEntered", "StepLeft", "SignedOff", "CaseEnded", "EmergencyOpened"}

people = st.sampled_from([UNIT, SERVICE, STRANGER, *(person(account) for account in (*ROLES.values(), *TEAM))])
words = st.sampled_from(sorted({outcome.word for step in POS.steps for outcome in step.outcomes} | {"apa"}))
boxes = st.sampled_from([r.id for step in POS.steps for r in step.requirements if r.supply == "tick"] + ["4.1", "x"])
text = st.sampled_from(["", " ", "Alasan yang jelas", "</>\x00 /pos setuju", "2026-06-09", "50"])
titles = st.sampled_from(["Risiko", "catatan verifikasi", "Kendala dan solusi", "Persentase capaian", ""])
sections = st.lists(st.tuples(titles, text), max_size=3).map(tuple)
weeks = st.sampled_from(["2026-W23", "2026-W24", "2026-W30", "bukan pekan"])
accounts = st.sampled_from([*TEAM, "tono", "koordinator", "siapa", ""])
servers = st.sampled_from(["srv-siakad", "srv-1"])
documents = st.sampled_from([*(d.slug for d in POS.documents), "apa-saja"])
days = st.dates(date(2026, 1, 1), date(2029, 1, 1))


def performer(run: Run) -> str:
    return PATH[run.at][0] if run.at in PATH else ""


class Campus(RuleBasedStateMachine):
    """Everybody at once. Half of the rules help, so that cases come far; the others do as they like."""

    def __init__(self) -> None:
        super().__init__()
        self.run = Run(POS)
        self.procedure: Procedure = POS

    @initialize(step=st.sampled_from([*STEPS]), offices=st.sampled_from(OFFICES), fresh=st.booleans())
    def arrive(self, step, offices, fresh) -> None:
        self.run = Run(POS, offices) if fresh else STEPS[step].copy(offices)
        self.run.checked = False

    def tell(self, kind, by, *values, **named) -> None:
        before = self.run.case
        decision = self.run.fact(kind, by, *values, **named)
        if before is not None and before.ending:
            assert not MOVES & set(kinds(decision)), "a case that has ended moved"

    @rule(hours=st.integers(1, 200))
    def time_passes(self, hours) -> None:
        self.run.now += timedelta(hours=hours)

    @precondition(lambda self: self.run.case and self.run.case.step)
    @rule()
    def the_right_person_goes_on(self) -> None:
        run, who = self.run, performer(self.run)
        step = run.procedure.step(run.at)
        if run.at < POS.opens_at:
            self.tell(FormRevised, UNIT, submission())
            return
        for requirement in step.requirements:
            if requirement.supply == "tick" and requirement.id not in run.open.ticks:
                self.tell(Ticked, person(who), requirement.id, done=True)
        word = "selesai" if PATH[run.at][1] == "progres" else PATH[run.at][1]
        if run.at == 19:
            run.report(who)
        elif who:
            self.tell(OutcomeChosen, person(who), word, "", written_for(run, word), Via.COMMENT)
        else:
            self.tell(OutcomeChosen, UNIT, word, "Baik", (), Via.PORTAL, run.at)

    @precondition(lambda self: self.run.case and self.run.case.step)
    @rule(reason=text, choice=st.integers(0, 3), by=people)
    def somebody_takes_a_way_out(self, reason, choice, by) -> None:
        outcomes = self.run.procedure.step(self.run.at).outcomes
        if outcomes:
            word = outcomes[choice % len(outcomes)].word
            who = performer(self.run)
            actor = by if choice == 3 else person(who) if who else UNIT
            self.tell(OutcomeChosen, actor, word, reason, written_for(self.run, word), Via.COMMENT if who else Via.PORTAL)

    @precondition(lambda self: self.run.case and not self.run.case.team)
    @rule()
    def a_team_is_named(self) -> None:
        self.tell(TeamNamed, person("koordinator"), TEAM)

    @precondition(lambda self: self.run.case and self.run.case.step and self.run.case.step < 30)
    @rule()
    def access_is_given(self) -> None:
        grant(self.run)

    @precondition(lambda self: self.run.case and self.run.case.open_grants)
    @rule()
    def access_is_taken_back(self) -> None:
        taken = self.run.open.open_grants[0]
        self.tell(AccessTaken, person("jaringan"), taken.account, taken.server)

    @rule(by=people, word=words, reason=text, written=sections, via=st.sampled_from(Via), step=st.none() | st.integers(0, 40))
    def a_word(self, by, word, reason, written, via, step) -> None:
        self.tell(OutcomeChosen, by, word, reason, written, via, step)

    @rule(by=people, to=st.integers(0, 40))
    def a_card_is_moved(self, by, to) -> None:
        self.tell(StepLabelMoved, by, to)

    @rule(by=people, kind=st.sampled_from([IssueClosed, IssueReopened, ResumeAsked, CheckAsked, HelpAsked, SecretWritten]))
    def a_plain_fact(self, by, kind) -> None:
        self.tell(kind, by)

    @rule(by=people, kind=st.sampled_from([PauseAsked, EmergencyAsked]), reason=text)
    def a_command_with_a_reason(self, by, kind, reason) -> None:
        self.tell(kind, by, reason)

    @precondition(lambda self: self.run.case and self.run.case.step and self.run.case.step < 25 and not self.run.case.debts)
    @rule()
    def the_head_orders_an_exception(self) -> None:
        self.tell(EmergencyAsked, person("kepala"), "KRS lumpuh")

    @precondition(lambda self: self.run.case and self.run.case.paused_since)
    @rule()
    def it_is_resumed(self) -> None:
        self.tell(ResumeAsked, person("layanan"))

    @rule(by=people, reason=text, ends=st.integers(0, 9))
    def an_end(self, by, reason, ends) -> None:
        if ends == 0:
            self.tell(Withdrawn, by, reason)
        elif ends == 1:
            self.tell(HandOffAsked, by, POS.handoffs[0], reason)

    @rule(by=people, box=boxes, done=st.booleans())
    def a_box(self, by, box, done) -> None:
        self.tell(Ticked, by, box, done)

    @rule(by=people, members=st.lists(accounts, max_size=3).map(tuple))
    def a_team(self, by, members) -> None:
        self.tell(TeamNamed, by, members)

    @rule(by=people, week=weeks, percent=st.none() | st.integers(-5, 120), written=sections)
    def a_report(self, by, week, percent, written) -> None:
        self.tell(ProgressMade, by, week, percent, written)

    @rule(by=people, account=accounts, server=servers, until=days)
    def some_access(self, by, account, server, until) -> None:
        self.tell(AccessGiven, by, account, server, "ssh", until)

    @rule(by=people, document=documents, links=st.sampled_from([(), ("[a](/uploads/a)",)]))
    def an_attachment(self, by, document, links) -> None:
        self.tell(DocumentAttached, by, document, links)

    @rule(by=people, ticket=st.sampled_from([TICKET]))
    def a_form(self, by, ticket) -> None:
        self.tell(FormSubmitted, by, ticket, submission())

    @rule(by=people)
    def a_revision(self, by) -> None:
        self.tell(FormRevised, by, submission(subject="Nilai semester lalu hilang", urgency="tinggi"))

    @rule(week=weeks, days=st.integers(0, 5), ended=st.booleans())
    def a_week(self, week, days, ended) -> None:
        self.tell(WeekEnded, SERVICE, week, days) if ended else self.tell(WeekDue, SERVICE, week)

    @rule(current=st.booleans(), entry=st.integers(0, 50))
    def a_clock(self, current, entry) -> None:
        self.tell(StepExpired, SERVICE, self.run.case.entered_seq if current and self.run.case else entry)

    @rule(by=people, word=text)
    def an_unclear_command(self, by, word) -> None:
        self.tell(CommandUnclear, by, word, None, "")

    @rule(iid=st.integers(1, 2), what=st.sampled_from([(), ("labels",)]), paper=st.integers(0, 5))
    def findings(self, iid, what, paper) -> None:
        self.tell(IssueLinked, SERVICE, iid, "https://git.example")
        self.tell(IssueDrifted, SERVICE, what)
        papers = self.run.case.documents if self.run.case else ()
        self.tell(DocumentFiled, SERVICE, papers[paper % len(papers)].id if papers else "x", "1", "a" * 64, 1, "")

    @invariant()
    def one_current_step_while_open(self) -> None:
        case = self.run.case
        if case is not None:
            assert (case.step is None) is (case.ending is not None)
            current = [passage.step for passage in case.history if passage.left_at is None]
            assert current == ([] if case.step is None else [case.step])

    @invariant()
    def the_ledger_is_lawful(self) -> None:
        self.run.check()


Campus.TestCase.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
TestCampus = Campus.TestCase
