"""Properties of working time, against an oracle that walks from minute to minute and knows nothing of how the service counts.

The oracle is procedure.md's page written down a second time: hours, breaks, Ramadan, the decrees' days, the campus's own closures.
"""

from bisect import bisect_left
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from integration.organisation import load
from integration.procedure.deadlines import CalendarGap, counted_days, due, is_working_time, skipped, worked, working_minutes
from integration.procedure.definition import Standard, Unit
from integration.procedure.offices import WorkCalendar

ROOT = Path(__file__).resolve().parents[1]
WIB = timezone(timedelta(hours=7))
MINUTE = timedelta(minutes=1)
DAY = 24 * 60

# --- the oracle ---

LIBUR = "1/1 16/1 17/2 19/3 21/3 22/3 3/4 5/4 1/5 14/5 27/5 31/5 1/6 16/6 17/8 25/8 25/12"  # of 2026, as the page has them
CUTI_BERSAMA = "16/2 18/3 20/3 23/3 24/3 15/5 28/5 24/12"
RAMADAN = ((date(2026, 2, 19), date(2026, 3, 20)), (date(2027, 2, 8), date(2027, 3, 9)))
CLOSURES = """
  - since: 2026-05-18
    until: 2026-05-20
    name: Dies Natalis
    decree: Surat Edaran Rektor Nomor 1/UN39/SE/2026
  - since: 2026-08-24
    name: Wisuda
    decree: Surat Edaran Rektor Nomor 2/UN39/SE/2026
  - since: 2026-12-28
    until: 2027-01-08
    name: Libur semester
    decree: Surat Edaran Rektor Nomor 3/UN39/SE/2026
"""
FIRST = datetime(2025, 12, 15, tzinfo=WIB)  # minute 0; of 2025 and of 2028 no decree is loaded
DAYS = [FIRST.date() + timedelta(days=number) for number in range((date(2028, 1, 15) - FIRST.date()).days)]


def _free() -> set[date]:
    free = {date(2026, *map(int, reversed(pair.split("/")))) for pair in f"{LIBUR} {CUTI_BERSAMA}".split()}
    decree = yaml.safe_load((ROOT / "integration" / "calendars" / "2027.yaml").read_text(encoding="utf-8"))
    free |= {date.fromisoformat(str(day)) for day in (*decree["holidays"], *decree["joint_leave"])}
    free |= {date(2026, 5, day) for day in (18, 19, 20)} | {date(2026, 8, 24)}
    return free | {date(2026, 12, 28) + timedelta(days=number) for number in range(12)}


def _hours(day: date) -> list[tuple[int, int]]:
    friday = day.isoweekday() == 5
    if any(first <= day <= last for first, last in RAMADAN):
        return [(800, 1130), (1230, 1530)] if friday else [(800, 1200), (1230, 1500)]
    return [(730, 1130), (1300, 1630)] if friday else [(730, 1200), (1300, 1600)]


FREE = _free()
WORKED = bytearray(
    day.isoweekday() <= 5 and day not in FREE and any(since <= minute // 60 * 100 + minute % 60 < until for since, until in _hours(day))
    for day in DAYS
    for minute in range(DAY)
)
LAST_OF_DAY: dict[int, int] = {}  # day -> its last minute of work
LAST_OF_WEEK: dict[tuple[int, int], int] = {}
for _minute in range(len(WORKED)):
    if WORKED[_minute]:
        LAST_OF_DAY[_minute // DAY] = _minute
        LAST_OF_WEEK[DAYS[_minute // DAY].isocalendar()[:2]] = _minute

Pauses = list[tuple[int, int]]


def moment(minute: int) -> datetime:
    return FIRST + minute * MINUTE


def spans(pauses: Pauses) -> tuple[tuple[datetime, datetime], ...]:
    return tuple((moment(start), moment(end)) for start, end in pauses)


def oracle(loaded: frozenset[int], entered: int, standard: Standard, pauses: Pauses) -> datetime | CalendarGap:
    """When a step entered at this minute is due: walk on until enough was counted, or a day comes that nobody knows."""
    counted, start = 0, entered
    if standard.unit is Unit.DAYS:
        start = (entered // DAY + 1) * DAY  # the day of entry is day 0
    for minute in range(start, len(WORKED)):
        day = DAYS[minute // DAY]
        if day.year not in loaded:
            return CalendarGap(day.year)
        if standard.unit is Unit.WEEKLY and minute in (start, minute // DAY * DAY):
            sunday = day + timedelta(days=7 - day.isoweekday())
            if sunday.year not in loaded:  # nobody knows which day of this week is its last
                return CalendarGap(sunday.year)
        if not WORKED[minute] or any(since <= minute < until for since, until in pauses):
            continue
        if standard.unit is Unit.WEEKLY:
            enough = minute == LAST_OF_WEEK[day.isocalendar()[:2]]
        else:
            counted += standard.unit is Unit.MINUTES or minute == LAST_OF_DAY[minute // DAY]
            enough = counted == standard.amount
        if enough:
            return moment(minute) + MINUTE
    raise AssertionError("the oracle's years are over")


def walk(start: int, end: int, pauses: Pauses) -> list[int]:
    return [m for m in range(start, end) if WORKED[m] and not any(since <= m < until for since, until in pauses)]


# --- what is asked ---


@pytest.fixture(scope="module")
def calendar(tmp_path_factory: pytest.TempPathFactory) -> WorkCalendar:
    """The example's, with closures of the campus written into its file."""
    text = (ROOT / "deploy" / "organisation.example.yaml").read_text(encoding="utf-8")
    file = tmp_path_factory.mktemp("office") / "organisasi.yaml"
    file.write_text(text.replace("closures: []", f"closures:{CLOSURES}"), encoding="utf-8")
    return load(file).calendar


LATEST = (date(2027, 11, 30) - FIRST.date()).days * DAY
EDGES = [minute for minute in range(1, len(WORKED)) if WORKED[minute] != WORKED[minute - 1]]  # opening, break, closing
WEEK_ENDS = [minute + 1 for minute in LAST_OF_WEEK.values() if minute < LATEST]
ENTRIES = st.one_of(st.integers(0, LATEST), st.sampled_from([edge for edge in EDGES if edge < LATEST]), st.sampled_from(WEEK_ENDS))
LOADED = st.sampled_from([frozenset({2026, 2027}), frozenset({2026, 2027}), frozenset({2026}), frozenset({2027})])
STANDARDS = st.one_of(
    st.builds(lambda amount: Standard("", amount, Unit.DAYS), st.integers(1, 10)),
    st.builds(lambda amount: Standard("", amount, Unit.MINUTES), st.integers(1, 1500) | st.sampled_from([180, 210, 240, 390, 450, 900])),
    st.just(Standard("", 0, Unit.WEEKLY)),
)
PAUSES = st.lists(st.tuples(st.integers(-2 * DAY, 12 * DAY), st.integers(0, 6 * DAY), st.booleans(), st.booleans()), max_size=4)


def near(entered: int, relative: list[tuple[int, int, bool, bool]]) -> Pauses:
    """Pauses about this entry; a flag puts that end of one on the next opening, break or closing."""
    pauses = []
    for after, length, start_at_edge, end_at_edge in relative:
        start, end = max(0, entered + after), max(0, entered + after) + length
        pauses.append((_edge(start) if start_at_edge else start, _edge(end) if end_at_edge else end))
    return pauses


def _edge(minute: int) -> int:
    return EDGES[min(bisect_left(EDGES, minute), len(EDGES) - 1)]


@given(LOADED, ENTRIES, STANDARDS, PAUSES)
def test_due_is_what_walking_minute_by_minute_finds(calendar, loaded, entered, standard, relative):
    pauses = near(entered, relative)
    found = due(replace(calendar, years=loaded), moment(entered), standard, spans(pauses))
    assert found == oracle(loaded, entered, standard, pauses)


@given(st.integers(0, 23 * 60), STANDARDS, PAUSES)
def test_it_is_so_around_eid_new_year_and_ramadan(calendar, minute, standard, relative):
    for day in (date(2026, 2, 13), date(2026, 3, 13), date(2026, 3, 17), date(2026, 5, 13), date(2026, 12, 23), date(2027, 2, 5)):
        entered = (day - FIRST.date()).days * DAY + minute
        pauses = near(entered, relative)
        assert due(calendar, moment(entered), standard, spans(pauses)) == oracle(calendar.years, entered, standard, pauses)


@st.composite
def _idle_pauses(draw: st.DrawFn) -> Pauses:
    """Pauses that lie wholly outside working time: nights, weekends, breaks, days off."""
    pauses = []
    for inside in draw(st.lists(st.integers(DAY, len(WORKED) - DAY).filter(lambda minute: not WORKED[minute]), min_size=1, max_size=4)):
        start = end = inside
        for _ in range(draw(st.integers(0, 4 * DAY))):
            start -= start > 0 and not WORKED[start - 1]
        for _ in range(draw(st.integers(0, 4 * DAY))):
            end += end < len(WORKED) and not WORKED[end]
        pauses.append((start, end))
    return pauses


@given(st.integers(-6 * DAY, 2 * DAY), STANDARDS, _idle_pauses(), PAUSES)
def test_a_pause_outside_working_time_changes_nothing_at_all(calendar, before, standard, idle, relative):
    entered = min(max(0, idle[0][0] + before), LATEST)
    others = spans(near(entered, relative))
    assert due(calendar, moment(entered), standard, (*others, *spans(idle))) == due(calendar, moment(entered), standard, others)


@given(ENTRIES, STANDARDS, PAUSES)
def test_a_pause_never_brings_a_due_time_forward(calendar, entered, standard, relative):
    without, paused = (due(calendar, moment(entered), standard, p) for p in ((), spans(near(entered, relative))))
    assert isinstance(without, CalendarGap) or isinstance(paused, CalendarGap) or without <= paused


@given(ENTRIES, st.integers(0, 40 * DAY), PAUSES)
@example(0, 400 * DAY, [])
def test_working_minutes_are_the_minutes_worked(calendar, start, length, relative):
    end, pauses = min(start + length, len(WORKED) - 1), near(start, relative)
    minutes, outside = working_minutes(calendar, moment(start), moment(end)), worked(calendar, moment(start), moment(end), spans(pauses))
    unknown = next((day.year for day in DAYS[start // DAY : end // DAY + 1] if day.year not in (2026, 2027)), None)
    if unknown:
        assert minutes == outside == CalendarGap(unknown)
        return
    assert minutes == len(walk(start, end, []))
    assert [m for since, until in outside for m in range((since - FIRST) // MINUTE, (until - FIRST) // MINUTE)] == walk(start, end, pauses)


@given(ENTRIES, STANDARDS, PAUSES)
def test_what_is_said_to_be_counted_is_the_standard(calendar, entered, standard, relative):
    pauses = spans(near(entered, relative))
    ends = due(calendar, moment(entered), standard, pauses)
    if isinstance(ends, CalendarGap) or standard.unit is Unit.WEEKLY:
        return
    if standard.unit is Unit.DAYS:
        days = counted_days(calendar, moment(entered), ends, pauses)
        assert (len(days), days[-1]) == (standard.amount, ends.date())
    else:
        assert (
            sum((until - since for since, until in worked(calendar, moment(entered), ends, pauses)), timedelta())
            == standard.amount * MINUTE
        )


@given(st.integers(0, len(WORKED) - 1))
def test_working_time_is_what_is_worked(calendar, minute):
    known = moment(minute).year in (2026, 2027)
    assert is_working_time(calendar, moment(minute)) == (bool(WORKED[minute]) if known else CalendarGap(moment(minute).year))


@given(ENTRIES, st.integers(0, 30))
def test_the_days_skipped_are_the_weekdays_nobody_worked(calendar, entered, days):
    last = moment(entered + days * DAY)
    between = DAYS[entered // DAY : entered // DAY + days + 1]
    expected = [day for day in between if day.isoweekday() <= 5 and day.year in (2026, 2027) and day in FREE]
    assert [off.day for off in skipped(calendar, moment(entered), last)] == expected
    assert all(off.decree and off.name for off in skipped(calendar, moment(entered), last))


def test_the_oracle_knows_the_page():
    """240 working days in 2026 by the decree; here the campus closes for three, one and four more."""
    year = [day for number, day in enumerate(DAYS) if number in LAST_OF_DAY and day.year == 2026]
    assert len(year) == 240 - 3 - 1 - 4
    minutes = {sum(WORKED[number * DAY : (number + 1) * DAY]) for number, day in enumerate(DAYS) if number in LAST_OF_DAY}
    assert minutes == {450, 390}
