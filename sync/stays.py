"""How long cases stay where, what of it they wait, and how often they are sent back: the figures of the reports; pure.

They are of steps and roles, never of a person. Time is working time throughout: a day of work counts 1, whatever its hours; a moment whose
year's calendar is not loaded gives no figure, never a guessed one.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from statistics import median

from integration.procedure.case import Case, Passage
from integration.procedure.deadlines import ONE_DAY, CalendarGap, Span, worked
from integration.procedure.definition import OutcomeKind, Procedure
from integration.procedure.events import Entry, Paused, Resumed, StepEntered
from integration.procedure.offices import WorkCalendar

ROUNDING = 1e-9  # of a working day, far below a second: what sums of its parts are off by


class Meter:
    """Tells the working days between two moments: each year's are counted once, so that any stretch of them costs the same."""

    def __init__(self, calendar: WorkCalendar) -> None:
        self._tz, self._years = calendar.tz, calendar.years
        self._days: dict[date, tuple[int, Sequence[Span]]] = {}  # by day: how many working days were before it, and its working time
        before = 0
        for year in sorted(calendar.years):
            day = date(year, 1, 1)
            while day.year == year:
                spans = worked(calendar, datetime.combine(day, time.min, calendar.tz), datetime.combine(day, time.max, calendar.tz))
                self._days[day] = (before, () if isinstance(spans, CalendarGap) else spans)
                before += bool(spans)
                day += ONE_DAY

    def days(self, start: datetime, end: datetime) -> float | None:
        """Working days between two aware moments, with the part of the first and of the last; 0 where `end` is not after `start`.

        None where a year between them is not loaded.
        """
        start, end = start.astimezone(self._tz), end.astimezone(self._tz)
        if any(year not in self._years for year in range(start.year, end.year + 1)):
            return None
        return max(0.0, self._until(end) - self._until(start))

    def days_after(self, start: datetime, end: datetime) -> int | None:
        """The working days after the day of `start` up to the day of `end`, as a time standard counts them (procedure.md rule 6).

        None where a year between them is not loaded.
        """
        first, last = start.astimezone(self._tz).date() + ONE_DAY, end.astimezone(self._tz).date()
        if first > last:
            return 0
        if any(year not in self._years for year in range(first.year, last.year + 1)):
            return None
        before, spans = self._days[last]
        return before + bool(spans) - self._days[first][0]

    def after(self, start: datetime, days: float) -> datetime | None:
        """The moment so many working days after an aware one: the inverse of `days`. None where a year up to it is not loaded."""
        start = start.astimezone(self._tz)
        if start.year not in self._years or days <= 0:
            return start if start.year in self._years else None
        sought, known = self._until(start) + days - ROUNDING, list(self._days)
        day = known[bisect_left(known, sought, key=lambda each: self._days[each][0]) - 1]
        before, spans = self._days[day]
        if sought > before + bool(spans) or any(year not in self._years for year in range(start.year, day.year + 1)):
            return None
        left = (sought - before) * sum((until - since for since, until in spans), timedelta())
        for since, until in spans:
            if left <= until - since:
                return since + left
            left -= until - since
        return spans[-1][1]

    def _until(self, moment: datetime) -> float:
        before, spans = self._days[moment.date()]
        whole = sum((until - since for since, until in spans), timedelta())
        done = sum((min(moment, until) - since for since, until in spans if since < moment), timedelta())
        return before + (done / whole if whole else 0.0)


@dataclass(frozen=True, slots=True)
class Stay:
    """One stay of a case in a step, in working days: `whole`, and how much of it the case waited, for the unit or in a pause.

    `left_at` None: it is there still, and `whole` is what it is so far.
    """

    passage: Passage
    whole: float
    waited: float

    @property
    def left_at(self) -> datetime | None:
        """When it was left."""
        return self.passage.left_at


def stays(case: Case, entries: Iterable[Entry], meter: Meter, since: datetime, until: datetime) -> Iterator[Stay]:
    """The stays of a case that were left from `since` on, and the one that lasts at `until`; `entries`: its ledger up to then.

    One that nobody ended counts as none: what was recorded of the portal's steps, skipped by an exception order, or cut short by the end.
    """
    paused, units = _stops(entries, case.ended_at or until)
    for passage in case.history:
        waits = passage.entered_seq in units
        answered = passage.outcome or waits or passage.left_at is None
        if not answered or (passage.left_at and passage.left_at < since):
            continue
        entered, left = passage.entered_at, passage.left_at or until
        whole = meter.days(entered, left)
        if whole is None:
            continue
        pauses = (meter.days(max(start, entered), min(end, left)) or 0.0 for start, end in paused if start < left and end > entered)
        yield Stay(passage, whole, whole if waits else sum(pauses))


def _stops(entries: Iterable[Entry], end: datetime) -> tuple[list[Span], set[int]]:
    """When the case was paused, and with which entries a step was entered at which it waits for the unit."""
    paused: list[Span] = []
    units: set[int] = set()
    since: datetime | None = None
    for entry in entries:
        match entry.event:
            case Paused():
                since = entry.at
            case Resumed() if since:
                paused.append((since, entry.at))
                since = None
            case StepEntered(waits_for_unit=True):
                units.add(entry.seq)
    return [*paused, *([(since, end)] if since else [])], units


def returned(passage: Passage, procedure: Procedure) -> int | None:
    """The step a stay was sent back to; None where it was left otherwise. `procedure`: the revision it was left under."""
    outcome = procedure.step(passage.step).outcome(passage.outcome) if passage.outcome else None
    return outcome.to if outcome and outcome.kind is OutcomeKind.RETURN else None


def back_after(case: Case, number: int, meter: Meter) -> float | None:
    """How long it took until a case came again to the step that sent it back by its passage `number`; None where it has not."""
    sent = case.history[number]
    again = next((later for later in case.history[number + 1 :] if later.step == sent.step), None)
    return meter.days(sent.left_at, again.entered_at) if again and sent.left_at else None


@dataclass(frozen=True, slots=True)
class Figures:
    """Of a step or a role, in working days: the stays that were left, and those that last.

    `middle`: the median; `most`: the 90th percentile, the shortest stay that nine of ten do not exceed; both 0 where none was left.
    `worked`, `waited`: what all of them together took; `here`: how many last, the longest for `longest`.
    """

    name: str
    left: int
    middle: float
    most: float
    worked: float
    waited: float
    here: int
    longest: float


@dataclass(frozen=True, slots=True)
class Loop:
    """A way back, from one step to an earlier one: how often it was taken, in how many cases, and the median until they were back.

    `days` None: none of them is back.
    """

    left: str
    to: str
    times: int
    cases: int
    days: float | None


@dataclass(slots=True)
class Sample:
    """What is collected of a step or a role while the ledgers are read: figures only."""

    left: list[float] = field(default_factory=list)
    here: list[float] = field(default_factory=list)
    worked: float = 0.0
    waited: float = 0.0

    def take(self, stay: Stay) -> None:
        """One stay more."""
        if stay.left_at is None:
            self.here.append(stay.whole)
        else:
            self.left.append(stay.whole)
            self.waited += stay.waited
            self.worked += stay.whole - stay.waited

    def figures(self, name: str) -> Figures:
        """What they add up to."""
        middle, most = (median(self.left), percentile(self.left, 90)) if self.left else (0.0, 0.0)
        return Figures(name, len(self.left), middle, most, self.worked, self.waited, len(self.here), max(self.here, default=0.0))


def percentile(values: Sequence[float], percent: int) -> float:
    """The least of the values that `percent` % of them do not exceed (nearest rank). ValueError where there are none."""
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(0, -(-len(values) * percent // 100) - 1)]


@dataclass(slots=True)
class Returns:
    """What is collected of one way back."""

    tickets: list[str] = field(default_factory=list)
    days: list[float] = field(default_factory=list)

    def loop(self, left: str, to: str) -> Loop:
        """What they add up to."""
        return Loop(left, to, len(self.tickets), len(set(self.tickets)), median(self.days) if self.days else None)
