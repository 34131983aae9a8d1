"""Another organisation file is in force as soon as it is saved; one with faults never is."""

import os
import threading
import time
from datetime import date
from pathlib import Path

import pytest

from integration.calendars import SHIPPED
from integration.files import LOOKED_AGAIN
from integration.organisation import InForce, OrganisationFaults

TEXT = (Path(__file__).resolve().parents[1] / "deploy" / "organisation.example.yaml").read_text(encoding="utf-8")
HEAD = "Dr. Ratna Wulandari, M.Kom."
ROLES = (
    "kepala-pustikom",
    "kadiv-layanan",
    "kadiv-pengembangan",
    "kadiv-infrastruktur",
    "koordinator-programmer",
    "koordinator-infrastruktur",
    "kasi-layanan-administrasi",
)


class Desk:
    """A file in somebody's hands; unless it says otherwise, what is saved has been left alone for an hour, each time another one."""

    def __init__(self, path: Path):
        self.path = path
        self.saved = 0

    def save(self, text: str, name: str = "organisasi.yaml", *, just_now: bool = False) -> Path:
        self.saved += 1
        file = self.path / name
        file.write_text(text, encoding="utf-8")
        if not just_now:
            moment = time.time() - 3600 + self.saved
            os.utime(file, (moment, moment))
        time.sleep(LOOKED_AGAIN)  # from then on it must count
        return file


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def head(in_force: InForce) -> str:
    return in_force.now.holders("kepala-pustikom", date(2026, 6, 2))[0].name


def test_a_saved_change_is_in_force_and_until_then_the_organisation_is_the_same_object(desk: Desk):
    in_force = InForce(desk.save(TEXT), ROLES)
    first = in_force.now
    assert in_force.now is first
    desk.save(TEXT.replace(HEAD, "Dr. Baru"))
    assert head(in_force) == "Dr. Baru"


def test_a_file_saved_again_as_it_was_changes_nothing(desk: Desk):
    in_force = InForce(desk.save(TEXT), ROLES)
    first = in_force.now
    desk.save(f"{TEXT}\n# diperiksa\n")
    assert in_force.now is first


def test_a_calendar_beside_it_is_watched_as_well_also_one_named_only_now(desk: Desk):
    decree = (SHIPPED / "2026.yaml").read_text(encoding="utf-8")
    in_force = InForce(desk.save(TEXT), ROLES)
    assert in_force.now.calendar.years == {2026, 2027}
    desk.save(decree, "kampus.yaml")
    desk.save(TEXT.replace("calendars: [2026, 2027]", "calendars: [kampus.yaml]"))
    assert in_force.now.calendar.years == {2026}

    desk.save(decree.replace("Kenaikan Yesus Kristus", "Kenaikan Isa Almasih"), "kampus.yaml")
    assert decree.count("Kenaikan Yesus Kristus") > 0
    assert "Kenaikan Isa Almasih" in {off.name for off in in_force.now.calendar.days_off.values()}


@pytest.mark.parametrize("broken", ["", "name: [", TEXT[: len(TEXT) // 2], TEXT.replace("role: kadiv-layanan", "role: gudang")])
def test_with_a_fault_the_last_good_one_stays_and_the_faults_are_told_once(desk: Desk, caplog, broken: str):
    in_force = InForce(desk.save(TEXT), ROLES)
    first = in_force.now
    desk.save(broken)
    assert in_force.now is first
    assert in_force.faults
    assert in_force.now is first
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "the last good one stays in force: organisasi.yaml:" in caplog.text
    assert HEAD not in caplog.text

    desk.save(TEXT.replace(HEAD, "Dr. Baru"))
    assert (head(in_force), in_force.faults) == ("Dr. Baru", ())


def test_a_file_that_is_gone_is_a_fault_too(desk: Desk):
    file = desk.save(TEXT)
    in_force = InForce(file, ROLES)
    first = in_force.now
    file.unlink()
    assert in_force.now is first
    assert [fault.kind for fault in in_force.faults] == ["unreadable"]
    desk.save(TEXT)
    assert in_force.faults == ()


def test_what_is_being_written_is_not_read_yet(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    in_force = InForce(desk.save(TEXT), ROLES)
    first = in_force.now
    desk.save(TEXT[: TEXT.index("closures: []")].replace(HEAD, "Dr. Setengah"), just_now=True)  # reads well, and says half
    assert (in_force.now, in_force.faults) == (first, ())
    later = time.time() + 5
    monkeypatch.setattr(time, "time", lambda: later)
    time.sleep(LOOKED_AGAIN)
    assert head(in_force) == "Dr. Setengah"


def test_at_the_start_every_fault_is_told_and_a_mended_file_is_taken(desk: Desk, caplog):
    in_force = InForce(desk.save("name: Pustikom\n", just_now=True), ROLES)
    for _ in range(2):
        with pytest.raises(OrganisationFaults, match="time_zone"):
            _ = in_force.now
    assert len(in_force.faults) > 3
    assert caplog.records == []
    desk.save(TEXT)
    assert head(in_force) == HEAD


def test_many_threads_see_one_organisation(desk: Desk):
    in_force = InForce(desk.save(TEXT), ROLES)
    seen: list[object] = []

    def look() -> None:
        seen.extend(in_force.now for _ in range(50))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    desk.save(TEXT.replace(HEAD, "Dr. Baru"))
    for thread in threads:
        thread.join()
    assert len({id(organisation) for organisation in seen}) <= 2
    assert head(in_force) == "Dr. Baru"
