"""What a report tells: the agenda's order and length, the flow of cases, and what is left out for whoever may read the wiki."""

from dataclasses import fields, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from integration.procedure.people import Vacancy
from sync.periods import period
from sync.standing import AGENDA, Concern, Debt, Line, Survey, Workload

JAKARTA = ZoneInfo("Asia/Jakarta")
OWED = Debt("20 Verifikasi 1", date(2026, 6, 9), (), overdue=False)
PLAIN = Line(
    **{field.name: None for field in fields(Line)} | {"ticket": "A", "system": "SIAKAD", "debts": (), "returns": (), "priority": "sedang"}
)  # type: ignore[arg-type]


def line(ticket: str, **otherwise: object) -> Line:
    return replace(PLAIN, ticket=ticket, **otherwise)  # type: ignore[arg-type]


def survey(*lines: Line, name: str = "2026-W23", **more: tuple[Line, ...]) -> Survey:
    ordered = tuple(sorted(lines, key=lambda line: line.risk))
    parts = {"new": (), "ended": (), "open": ordered} | more
    return Survey(period(name, JAKARTA), vacant=(), steps=(), roles=(), loops=(), workload=Workload(0, 0, 0, 0, 0, 0, 0, 0), **parts)


def test_the_agenda_is_sorted_by_risk() -> None:
    lines = (
        line("silent", owes_report=True),
        line("returned", returns=("21 → 18",)),
        line("quiet", priority="kritis", age=99),
        line("near", near=True),
        line("vacant", vacancy=Vacancy((), ())),
        line("ordered", debts=(OWED,)),
        line("late", late=True, late_by=2, priority="rendah"),
        line("later", late=True, late_by=9, priority="rendah"),
        line("critical", late=True, late_by=1, priority="kritis"),
    )
    assert [line.ticket for line in survey(*lines).urgent] == [
        *("critical", "later", "late", "ordered", "vacant", "near", "silent", "returned")
    ]
    both = line("both", late=True, owes_report=True, returns=("x",))
    assert both.concerns == (Concern.LATE, Concern.SILENT, Concern.RETURNED)


def test_no_meeting_gets_through_more() -> None:
    many = survey(*(line(f"{n:03d}", late=True) for n in range(AGENDA + 3)))
    assert (len(many.urgent), [line.ticket for line in many.agenda]) == (AGENDA + 3, [f"{n:03d}" for n in range(AGENDA)])


def test_whoever_may_read_the_wiki_reads_no_subject_and_no_reason() -> None:
    told = line("A", subject="s", pause_reason="p", order_reason="o", note="n", target="POS lain")
    whole = survey(told, new=(told,), ended=(told,))
    discreet = whole.discreet()
    for one in (*discreet.new, *discreet.ended, *discreet.open):
        assert (one.subject, one.pause_reason, one.order_reason, one.note) == ("", "", "", "")
        assert (one.title, one.target) == ("SIAKAD", "POS lain")
    assert (whole.complete, discreet.complete, whole.open[0].title) == (True, False, "SIAKAD: s")


def test_whom_cases_wait_for() -> None:
    paused = line("c", turn="Koordinator", paused_since=datetime(2026, 6, 2, tzinfo=JAKARTA))
    queues = survey(line("a", turn="Kepala", late=True), line("b", turn="Kepala"), paused).queues
    assert [(queue.turn, queue.cases, queue.late) for queue in queues] == [("Kepala", 2, 1)]


def test_what_came_and_went() -> None:
    new = (line("a", opened=date(2026, 6, 30)), line("b", opened=date(2026, 6, 1)), line("c", opened=date(2026, 12, 31)))
    ended = (line("b", status="selesai", ended=date(2026, 6, 2)), line("d", status="ditolak", ended=date(2026, 1, 5)))
    year = survey(name="2026", new=new, ended=ended)
    told = {part.part: (part.new, part.ended) for part in year.flow if part.new or part.ended}
    assert told == {"2026-01": (0, 1), "2026-06": (2, 1), "2026-12": (1, 0)}
    assert len(year.flow) == 12
    assert year.endings == (("ditolak", 1), ("selesai", 1))
