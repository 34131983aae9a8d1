"""`alur case explain`: why a step is due when it is, as it is told to a person."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from integration.procedure.definition import Ending
from integration.procedure.events import DueRecomputed, Entry, RevisionAdopted, StepEntered
from integration.procedure.facts import SERVICE, PauseAsked, ResumeAsked
from integration.procedure.offices import DayOff, Organisation
from integration.procedures import load
from sync.console import explanation
from tests.core.office import CALENDAR, organisation, person
from tests.core.run import Run
from tests.core.straight import every_step

POS = load("pengaduan-masalah-teknis-si.2025-05")
STEPS = every_step(POS)
ON_TUESDAY = datetime(2026, 6, 2, 4, 50, tzinfo=UTC)  # 11.50 in Jakarta


def closed(*days: int) -> Organisation:
    """The office, with days of June 2026 off."""
    off = {date(2026, 6, day): DayOff(date(2026, 6, day), "Wisuda", "Surat Edaran Rektor 2") for day in days}
    return replace(organisation(), calendar=replace(CALENDAR, days_off=off))


def entered(step: int, office: Organisation | None = None) -> Run:
    """A case that comes to this step on Tuesday at 11.50."""
    run = STEPS[step - 1].copy(office)
    actor = {8: "layanan", 15: "kasi", 19: "budi"}[step]
    run.now = ON_TUESDAY - timedelta(minutes=10)
    run.tick_all(actor)
    run.now = ON_TUESDAY - timedelta(minutes=1)
    run.say(actor, "selesai")
    assert (run.at, run.open.entered_at) == (step, ON_TUESDAY)
    return run


def told(run: Run, *more: Entry, later: timedelta = timedelta()) -> list[str]:
    return explanation(run.open, [*run.entries, *more], POS, run.organisation.calendar, run.now + later)


def test_days_are_told_one_by_one():
    assert told(entered(8)) == [
        "SI-2026-000001 berada di langkah 08 Evaluasi sejak 2 Jun 2026 11.50.",
        "Waktu baku langkah ini: 3 Hari Kerja.",
        "Hari masuk dihitung sebagai hari ke-0; hari kerja yang dihitung: Rabu 3 Jun 2026, Kamis 4 Jun 2026, Jumat 5 Jun 2026.",
        "Batas waktunya 5 Jun 2026 16.00.",
    ]


def test_minutes_are_told_stretch_by_stretch():
    assert told(entered(15))[1:] == [
        "Waktu baku langkah ini: 15 Menit.",
        "Menit kerja yang dihitung: Selasa 2 Jun 2026 pukul 11.50 sampai dengan 12.00, Selasa 2 Jun 2026 pukul 13.00 sampai dengan 13.05.",
        "Batas waktunya 2 Jun 2026 13.05.",
    ]


def test_a_week_ends_with_its_last_working_day():
    assert told(entered(19))[2:] == [
        "Waktunya dihitung sampai dengan jam tutup hari kerja terakhir dalam pekannya.",
        "Batas waktunya 5 Jun 2026 16.00.",
    ]


def test_days_off_are_named_with_their_decree():
    assert told(entered(8, closed(3, 4)))[2:] == [
        "Hari masuk dihitung sebagai hari ke-0; hari kerja yang dihitung: Jumat 5 Jun 2026, Senin 8 Jun 2026, Selasa 9 Jun 2026.",
        "Dilewati: Rabu 3 Jun 2026, Wisuda (Surat Edaran Rektor 2).",
        "Dilewati: Kamis 4 Jun 2026, Wisuda (Surat Edaran Rektor 2).",
        "Batas waktunya 9 Jun 2026 16.00.",
    ]


def test_a_pause_is_told_and_its_days_are_not_counted():
    run = entered(8)
    run.fact(PauseAsked, person("layanan"), "Menunggu vendor", after=timedelta(hours=1))
    assert told(run)[-1] == "Perkara dijeda sejak 2 Jun 2026 12.50; selama itu waktu tidak dihitung."
    run.fact(ResumeAsked, person("layanan"), after=timedelta(days=2))
    assert told(run)[2:] == [
        "Hari masuk dihitung sebagai hari ke-0; hari kerja yang dihitung: Kamis 4 Jun 2026, Jumat 5 Jun 2026, Senin 8 Jun 2026.",
        "Jeda 2 Jun 2026 12.50 sampai dengan 4 Jun 2026 12.50 tidak dihitung.",
        "Batas waktunya 8 Jun 2026 16.00.",
    ]


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (
            DueRecomputed(datetime(2026, 6, 8, 9, 0, tzinfo=UTC)),
            "Dihitung ulang pada 2 Jun 2026 11.50 karena kalender kerja berubah; batas waktunya menjadi 8 Jun 2026 16.00.",
        ),
        (
            DueRecomputed(None, 2028),
            "karena kalender kerja berubah; batas waktunya menjadi belum dapat dihitung, sebab kalender tahun 2028 belum dimuat.",
        ),
        (
            RevisionAdopted("2027-01", None),
            "Dihitung ulang pada 2 Jun 2026 11.50 karena perkara beralih ke prosedur revisi 2027-01; batas waktunya menjadi tidak ada.",
        ),
    ],
)
def test_what_was_counted_anew_in_this_stay_is_told(event, words):
    run = entered(8)
    again = Entry(run.open.last_seq + 1, run.now, SERVICE, "x", event)
    assert any(sentence.endswith(words) for sentence in told(run, again))
    earlier = Entry(run.open.entered_seq - 1, run.now, SERVICE, "x", event)
    assert explanation(run.open, [earlier, *run.entries], POS, run.organisation.calendar, run.now) == told(run)


def test_a_late_step_says_so_and_the_units_own_clock_runs():
    run = STEPS[31].copy()
    assert "Perkara menunggu unit kerja; selama itu waktu tidak dihitung." not in told(run)
    assert "Batas waktu itu sudah lewat." not in told(run)
    assert told(run, later=run.open.due - run.now)[-1] == "Batas waktu itu sudah lewat."


def test_where_no_clock_runs_that_is_why():
    run = STEPS[5].copy()
    run.say("kepala", "revisi", "Lengkapi")
    assert told(run)[1:] == ["Perkara menunggu unit kerja; selama itu waktu tidak dihitung."]
    run = STEPS[8].copy()
    run.case = replace(run.open, due=None, gap=2028)
    assert told(run)[-1] == "Batas waktu tidak dapat dihitung: kalender tahun 2028 belum dimuat."
    run.case = replace(run.open, step=None, ending=Ending.DONE, ended_at=run.now)
    assert told(run) == [f"SI-2026-000001 sudah berakhir (selesai) pada {run.now.astimezone(CALENDAR.tz):2 Jun 2026 %H.%M}."]


def test_a_step_without_a_standard_says_so():
    run = STEPS[8].copy()
    steps = tuple(replace(step, standard=None) if step.number == 8 else step for step in POS.steps)
    case = replace(run.open, due=None)
    assert explanation(case, run.entries, replace(POS, steps=steps), CALENDAR, run.now)[1:] == ["Langkah ini tidak mempunyai waktu baku."]
    assert isinstance(run.entries[-1].event, StepEntered)
