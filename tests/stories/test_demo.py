"""The demo is the first thing a newcomer sees: it must play to its end and leave what it says."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from integration.clock import utc_now
from integration.procedure.case import fold
from integration.store import Store
from sync.demo import demonstrate


@pytest.mark.timeout(900)
def test_six_complaints_reach_their_ends_and_leave_papers_and_reports(tmp_path: Path) -> None:
    shown = io.StringIO()

    demonstrate(Console(file=shown, width=120), tmp_path, keep=False)

    store = Store(f"sqlite:///{tmp_path / 'alur.db'}", clock=utc_now)
    cases = [fold(store.entries(ticket)) for ticket in sorted(store.tickets())]
    assert [case.status for case in cases if case] == ["selesai", "selesai", "ditolak", "selesai", "selesai", "selesai"]
    assert store.inbox_rows() == []  # nothing waits or is parked
    assert store.outbox_rows() == []
    assert store.verify() == []
    assert any(case.missed_weeks for case in cases if case)  # the weekly duty fired, and somebody forgot it once
    store.close()
    assert all(case.ticket in shown.getvalue() for case in cases if case)
    assert len(list((tmp_path / "dokumen").glob("*/*.pdf"))) == sum(len(case.documents) for case in cases if case)
    assert len(list((tmp_path / "laporan").glob("*.pdf"))) >= 5
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()] if (tmp_path / "log.jsonl").exists() else []
    assert [line for line in log if line["level"] in ("error", "critical")] == []
