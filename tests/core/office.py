"""A small office for the core's tests: one holder for every role, three programmers, plain weeks in 2026 and 2027."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from integration.procedure.facts import Actor, ActorKind, Attachment, Submission
from integration.procedure.offices import DayHours, Holding, HoursPeriod, Office, Organisation, Programmer, WorkCalendar

JAKARTA = ZoneInfo("Asia/Jakarta")
START = datetime(2026, 6, 2, 1, 0, tzinfo=UTC)  # Tuesday, 08.00 in Jakarta
MINUTE = timedelta(minutes=1)

ROLES = {
    "kepala-pustikom": "kepala",
    "kadiv-layanan": "layanan",
    "kadiv-pengembangan": "pengembangan",
    "kadiv-infrastruktur": "infrastruktur",
    "koordinator-programmer": "koordinator",
    "koordinator-infrastruktur": "jaringan",
    "kasi-layanan-administrasi": "kasi",
}
TEAM = ("budi", "sari")
UNIT = Actor(ActorKind.UNIT, name="Dekan FT")
STRANGER = Actor(ActorKind.PERSON, "orang-lain", "Orang Lain")

_DAY = DayHours(time(7, 30), time(16), time(12), time(13))
CALENDAR = WorkCalendar(JAKARTA, (HoursPeriod("biasa", dict.fromkeys(range(5), _DAY)),), days_off={}, years=frozenset({2026, 2027}))


def person(account: str) -> Actor:
    return Actor(ActorKind.PERSON, account, account.capitalize())


def office(role: str, account: str, holding: Holding = Holding.FULL, since: date = date.min, until: date | None = None) -> Office:
    return Office(role, account, account.capitalize(), since=since, until=until, holding=holding)


def organisation(*more: Office, without: str = "") -> Organisation:
    """The office; `more`: further holders, `without`: a role nobody holds."""
    offices = tuple(office(role, account) for role, account in ROLES.items() if role != without)
    programmers = tuple(Programmer(account, account.capitalize()) for account in (*TEAM, "tono"))
    return Organisation("Pustikom", (*offices, *more), programmers, CALENDAR)


def submission(**changed: object) -> Submission:
    form: dict[str, object] = {
        "unit_code": "FT",
        "unit_name": "Fakultas Teknik",
        "head_name": "Prof. Dekan",
        "head_nip": "",
        "head_title": "Dekan",
        "head_email": "dekan@example.ac.id",
        "reporter": "Rina",
        "reporter_email": "rina@example.ac.id",
        "system": "SIAKAD",
        "system_url": "",
        "subject": "Nilai hilang",
        "category": "galat",
        "description": "Nilai tidak tampil.",
        "reproduction": "",
        "since": "2026-06-01T08:00:00+07:00",
        "urgency": "sedang",
        "impact": "unit",
        "attachments": (),
        "filled_from": START - 20 * MINUTE,
        "filled_until": START - 5 * MINUTE,
        "sha256": "0" * 64,
    }
    return Submission(**(form | changed))  # type: ignore[arg-type]


def attachment(name: str) -> Attachment:
    return Attachment(name, "image/png", 10, "1" * 64)
