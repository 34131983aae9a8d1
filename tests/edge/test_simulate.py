"""`alur procedure simulate`: an edited procedure tried beside the one in force before it is published, by the command line."""

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from integration import procedures
from integration.parts import Parts
from integration.procedure.events import CaseOpened
from integration.settings import Settings
from integration.store import Batch, CaseRow, Delivery
from tests.core.run import Run
from tests.core.straight import step_on

NAME = "pengaduan-masalah-teknis-si.2025-05"
SHIPPED = procedures.shipped()[NAME]


@pytest.fixture
def parts(environment: dict[str, str]) -> Iterator[Parts]:
    parts = Parts.of(Settings.read(environment, env_file=None))
    parts.store.migrate()
    yield parts
    parts.store.close()


@pytest.fixture
def ended(parts: Parts) -> str:
    """A case that has ended, in the store."""
    run = Run(procedures.load(NAME), checked=False)
    run.submit()
    while not run.open.ending:
        run.now += timedelta(hours=5)
        step_on(run)
    opened, case = run.entries[0].event, run.open
    assert isinstance(opened, CaseOpened)
    parts.store.submit(Delivery("portal", "form", "", b'{"a": 1}'), "SI", 2026)
    turn, kept = parts.store.claim(lease=timedelta(minutes=1))
    at = run.entries[0].at, case.ended_at
    row = CaseRow(case.ticket, case.procedure, case.revision, "selesai", None, None, None, None, 1, "SIAKAD: galat", *at)
    parts.store.commit(turn, kept, Batch(case.ticket, tuple(run.entries), (), case_row=row))
    return case.ticket


@pytest.fixture
def edited(tmp_path: Path) -> Path:
    """A revision in which step 8 has a heading more and a standard of one day less."""
    text = SHIPPED.read_text(encoding="utf-8").replace('revision: "2025-05"', 'revision: "2026-01"')
    eighth = text.index("  - number: 8\n")
    ahead, step = text[:eighth], text[eighth:]
    step = step.replace("{text: 3 Hari Kerja, amount: 3, unit: days}", "{text: 2 Hari Kerja, amount: 2, unit: days}", 1)
    step = re.sub(r"sections: \[(.*?)\]", r"sections: [\1, Biaya]", step, count=1)
    file = tmp_path / "pengaduan-masalah-teknis-si.2026-01.yaml"
    file.write_text(ahead + step, encoding="utf-8")
    assert procedures.check(file) == []
    return file


def kept(folder: Path) -> dict[str, str]:
    """All that lies in a folder, by its hash."""
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_past_case_and_invented_ones_are_told_side_by_side(alur, ended, edited) -> None:
    result = alur("procedure", "simulate", str(edited), "--cases", "2", COLUMNS="160")
    assert result.exit_code == 0, result.output
    assert "revisi 2025-05 yang berlaku, dibandingkan dengan" in result.stdout
    assert "1 perkara yang lalu" in result.stdout
    assert "2 perkara buatan, benih 1" in result.stdout
    assert f"Langkah 08 Evaluasi, “selesai”, 1 perkara ({ended}): Bagian “Biaya” belum ditulis." in " ".join(result.stdout.split())
    assert "Hari kerja, median" in result.stdout
    assert "Dokumen yang terbit sama banyaknya." in result.stdout


def test_as_data_the_same_seed_says_the_same(alur, ended, edited) -> None:
    first, second = (alur("procedure", "simulate", str(edited), "--cases", "2", "--seed", "7", "--json").stdout for _ in range(2))
    told = json.loads(first)
    assert first == second
    assert (told["berlaku"], told["disunting"], told["benih"]) == ("2025-05", "2026-01", 7)
    assert told["lalu"]["keberatan"] == [
        {"langkah": "08 Evaluasi", "kata": "selesai", "kode": "incomplete", "kurang": ["Biaya"], "perkara": [ended]}
    ]
    assert told["lalu"]["berlaku"]["selesai"] == told["lalu"]["disunting"]["selesai"] == 1
    eighth = next(step for step in told["buatan"]["langkah"] if step["langkah"] == "08 Evaluasi")
    assert eighth["disunting"]["middle"] < eighth["berlaku"]["middle"]


def test_nothing_of_the_store_is_changed(alur, ended, edited, parts, environment) -> None:
    parts.store.close()
    folder = Path(environment["ALUR_DATA_DIR"])
    before = kept(folder), [(line.seq, line.hash) for line in parts.store.lines(ended)], parts.store.waiting()
    assert alur("procedure", "simulate", str(edited), "--cases", "1").exit_code == 0
    assert (kept(folder), [(line.seq, line.hash) for line in parts.store.lines(ended)], parts.store.waiting()) == before


def test_without_a_past_only_invented_cases_are_tried_and_that_is_said(alur, edited) -> None:
    result = alur("procedure", "simulate", str(edited), "--cases", "1")
    assert result.exit_code == 0
    assert "yang dicoba hanya perkara buatan" in " ".join(result.stdout.split())
    only_past = alur("procedure", "simulate", str(edited), "--source", "past")
    assert (only_past.exit_code, "--source synthetic" in only_past.stderr) == (1, True)


def test_a_file_with_faults_and_one_that_is_not_there_are_told(alur, tmp_path) -> None:
    (tmp_path / "bad.yaml").write_text("slug: x\n", encoding="utf-8")
    assert alur("procedure", "simulate", str(tmp_path / "bad.yaml")).exit_code == 2
    missing = alur("procedure", "simulate", str(tmp_path / "nowhere.yaml"))
    assert (missing.exit_code, "tidak dapat dibaca" in missing.stderr) == (1, True)
