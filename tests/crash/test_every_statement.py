"""Killed at every statement between receiving and effect, the service loses nothing and does nothing twice, as once.py says it."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from integration.drift import REPAIRS
from sync.archive import KEPT, prove
from tests.crash.lives import WATCHED as MORTAL
from tests.crash.many_lives import A_SECOND, OWNER, UNHURRIED, Lives, born
from tests.crash.once import marks_of, nothing_twice, told_once, uploads
from tests.stories.test_entry import flat
from tests.stories.world import A_MOMENT, example_form

FIRST, NUMBERED, TEAM_TOLD, AT_WORK, TRIED, HANDED_OVER = 4, 9, 16, 18, 24, 31
"""Steps: where a case opens, whose paper is numbered, that tells the team, that lasts, and the two at which the unit answers."""

SCAN, ON_PAPER, LETTER_SIGNED = b"%PDF-1.7\nhasil pindai", b"%PDF-1.7\nformulir kertas", b"%PDF-1.7\nsurat bertanda tangan"
LETTER = "surat-tugas"
CLOSED = "closures:\n  - {since: 2026-12-28, name: Cuti bersama, decree: Surat Edaran Rektor Nomor 2/UN39/SE/2026}"
CLERK, HEAD = "kasi.layanan", "kepala.pustikom"
MANY = 10**6  # times
WATCHED = {
    "sqlite": "integration/ sync/ webhooks/",
    "postgresql": "integration/store/",
}
"""Where the service is killed on which database: in all that is watched, and once more where databases differ."""

ENOUGH = {"sqlite": 1950, "postgresql": 405}
"""Statements at least: what is watched, but for what lives.py says that no life comes to."""


def at_rest(lives: Lives) -> None:
    """Nothing waits, nothing is parked, the chain holds, each form is one case, and nothing was done twice."""
    assert not lives.store.busy()
    assert lives.store.verify() == []
    assert len(lives.store.tickets()) == lives.forms
    for ticket in lives.store.tickets():
        nothing_twice(lives.campus, lives.store, ticket)
    told_once(lives.campus, lives.store, lives.post)


@pytest.mark.timeout(2400)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_wherever_the_service_dies_everything_happens_once(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url = f"sqlite:///{tmp_path / 'alur.db'}" if database == "sqlite" else request.getfixturevalue("postgres_database")
    with born(tmp_path, url, watched=WATCHED[database]) as lives:
        files = lives.parts.files
        lives.die_everywhere(does="tick")
        lives.die_everywhere(does="sweep")
        ticket = opened(lives)
        turned_down(lives)
        refused_by_gitlab(lives, ticket)
        signed(lives, ticket)
        assert [files.get(ticket, copy.sha256) for paper in lives.case(ticket).documents for copy in paper.copies] == [SCAN]
        led_to_work(lives, ticket)
        weeks(lives, ticket)
        handed_over(lives, ticket)

        lives.clock.advance(timedelta(days=1))
        lives.die_everywhere(does="sweep")  # the night's archive
        archive = tmp_path / "arsip.zip"
        archive.write_bytes(files.get(ticket, lives.store.mark(f"{KEPT}{ticket}:2") or ""))  # that with both signed copies
        assert prove(archive).faults == ()

        lives.die_everywhere(does="erase")
        for one in lives.store.tickets():
            erased(lives, one)
            assert not (tmp_path / "var" / one).exists()
        assert len(lives.visited) > ENOUGH[database], len(lives.visited)
        died_in = {"webhooks/writing.py", *(point.partition(":")[0] for point in lives.visited)}  # that one does in test_writing.py
        mortal = [path for path in MORTAL if path.startswith(tuple(WATCHED[database].split()))]
        assert [path for path in mortal if not any(file.startswith(path) for file in died_in)] == []


def opened(lives: Lives) -> str:
    """A form comes and is revised, words are refused, a card is moved; gives the ticket."""
    lives.die_everywhere(lives.portal("pengaduan.diajukan", formulir=lives.form()))
    (ticket,), lives.forms = lives.store.tickets(), 1
    at_rest(lives)

    for _ in range(2):  # refused: another step's word; then refused again: the same note, updated
        lives.die_everywhere(*lives.comment("kadiv.layanan", ticket, "/pos setuju"))
    at_rest(lives)

    lives.live(*lives.comment(CLERK, ticket, "/pos revisi Mohon dilengkapi"))
    lives.die_everywhere(lives.portal("pengaduan.direvisi", "threads", tiket=ticket, formulir=lives.form(b"galat 504", judul="KRS macet")))
    lives.live(*lives.comment(CLERK, ticket, "/pos revisi Mohon dilengkapi sekali lagi"))
    problem = flat(example_form()) | {"masalah.judul": "KRS macet lagi"}
    lives.die_everywhere(lives.answer(ticket, file=("lampiran", b"%PDF-1.7\nlayar"), **problem))
    assert [sent.subject for sent in lives.case(ticket).submissions][1:] == ["KRS macet", "KRS macet lagi"]
    at_rest(lives)

    lives.campus.portal.answers += [503] * MANY
    assert lives.die_everywhere(*lives.play(ticket), postpones=True)  # a paper, a note, the portal, which takes its time
    assert lives.case(ticket).step == FIRST + 1
    lives.play(ticket)  # the card is moved, and no hook comes: the sweep finds it
    lives.die_everywhere(does="sweep")
    assert lives.case(ticket).step == FIRST + 2
    at_rest(lives)
    return ticket


def turned_down(lives: Lives) -> None:
    """A form that came on paper is entered, found complete, and turned down: all of it on the pages of the officers' desk."""
    form = flat(example_form()) | {"masalah.sejak": "2026-06-01T09:00", "disetujui": "ya"}
    lives.die_everywhere(lives.page(CLERK, "/meja/formulir", file=("pindaian", ON_PAPER), **form))
    (ticket,), lives.forms = lives.store.tickets()[1:], 2
    at_rest(lives)
    assert lives.case(ticket).submission.entered_by
    written = {"bagian-0": "Galat terjadi di peladen", "bagian-1": "tinggi", "bagian-2": "KRS terhenti"}
    for account, said in ((CLERK, written | {"hasil": "lengkap"}), (HEAD, {"hasil": "tolak", "alasan": "Bukan sistem kami"})):
        lives.clock.advance(UNHURRIED)
        lives.die_everywhere(lives.page(account, "/meja", f"/meja/{ticket}", **said))
        at_rest(lives)
    assert lives.case(ticket).status == "ditolak"
    assert lives.campus.issue(ticket)["state"] == "closed"


def refused_by_gitlab(lives: Lives, ticket: str) -> None:
    """A note is refused: for a while, by a pause for all, after it was written, and for good, until somebody has it tried again."""
    again = {"status": 429, "headers": {"Retry-After": "20"}}
    for fault in ({"status": 503}, again, {"status": 500, "after_commit": True}, {"status": 403}):
        for method in ("POST", "PUT"):
            lives.campus.gitlab.fault(method, r"/notes(/\d+)?$", times=MANY, by=lives.campus.bot, **fault)
        for_good = fault["status"] == 403
        waited = lives.die_everywhere(*lives.comment("kadiv.layanan", ticket, "/pos selesai"), postpones=not for_good, parks=for_good)
        assert bool(waited) is not for_good
        if for_good:
            assert len(lives.store.outbox_rows(state="parked")) == 1
            lives.campus.gitlab.mend()
            lives.die_everywhere(does="replay")
        at_rest(lives)


def signed(lives: Lives, ticket: str) -> None:
    """A signed copy: on disk, then recorded."""
    sheet = lives.campus.person(HEAD).upload(lives.campus.project, "naskah.pdf", SCAN)
    lives.die_everywhere(*lives.comment(HEAD, ticket, f"/pos lampir lembar-persetujuan\n\n{sheet}"))
    at_rest(lives)


def led_to_work(lives: Lives, ticket: str) -> None:
    """A numbered paper, the team's tasks, their letter signed on its page, another day off; a label and the issue are lost, and found."""
    for step in (NUMBERED, TEAM_TOLD):
        lives.walk(ticket, until=step)
        lives.die_everywhere(*lives.play(ticket))
        at_rest(lives)
    assert set(lives.tasks(ticket).values()) == {"opened"}
    lives.walk(ticket, until=AT_WORK)

    letter = lives.case(ticket).current_paper(LETTER)
    assert letter
    address = f"/dokumen/{lives.store.public_id(ticket, letter.id)}/tanda-tangan"
    lives.die_everywhere(lives.page(HEAD, address, file=("naskah", LETTER_SIGNED)))
    at_rest(lives)

    organisation = lives.parts.settings.organisation
    text = organisation.read_text(encoding="utf-8")
    organisation.write_text(text.replace("closures: []", CLOSED), encoding="utf-8")
    os.utime(organisation, (0, 0))  # not just now: what may be half written is not read
    assert CLOSED in organisation.read_text(encoding="utf-8")
    lives.die_everywhere(does="tick")
    looked_at = [row.lane for row in lives.store.inbox_rows(state="done", limit=MANY) if ":organisasi:" in row.key]
    assert looked_at == [ticket]  # that which is open, once
    at_rest(lives)

    undone(lives, ticket)
    (label,), columns = (label for label in lives.campus.labels(ticket) if label.startswith("langkah::")), lives.columns()
    lives.campus.person(OWNER).delete_label(lives.campus.project, label)
    lives.hooks()
    lives.die_everywhere(does="sweep")
    assert label in lives.campus.labels(ticket)
    assert lives.columns() == columns

    iid = lives.delete_issue(ticket)
    lives.die_everywhere(does="sweep")
    assert lives.campus.iid(ticket) != iid
    at_rest(lives)


def undone(lives: Lives, ticket: str) -> None:
    """Somebody undoes it each time the issue is put right, until it is left to them for a while."""
    (label,) = (label for label in lives.campus.labels(ticket) if label.startswith("status::"))
    for again in range(REPAIRS + 1):
        lives.clock.advance(A_SECOND)
        lives.campus.person(OWNER).label(lives.campus.project, lives.campus.iid(ticket), remove=(label,))
        if again < REPAIRS:
            lives.live(*lives.hooks())
            assert label in lives.campus.labels(ticket)
    assert lives.die_everywhere(*lives.hooks(), postpones=True)
    assert label in lives.campus.labels(ticket)
    at_rest(lives)


def weeks(lives: Lives, ticket: str) -> None:
    """Reminders, a late step, what waits for whom each morning, the reports of the weeks, and that on progress, which is asked for."""
    lives.tick("2026-06-08T07:30")  # the day before it is due; the first week is reported on
    lives.delete_issue(ticket)
    lives.tick("2026-06-10T07:30", postpones=True)  # late, and no issue to say it on: it is made first
    for moment in ("2026-06-12T14:00", "2026-06-15T07:30", "2026-06-17T07:30"):  # progress is asked for, reminded of, listed
        by_mail = moment.endswith("07:30")
        if by_mail:
            lives.post.answers["DATA"] = b"451 nanti\r\n"
        assert bool(lives.tick(moment, postpones=by_mail)) is by_mail
        lives.die_everywhere(does="sweep")  # the page of today
        at_rest(lives)
    assert sum(":progres-ditagih:" in mark for mark in marks_of(lives.campus, ticket)) == 2
    lives.clock.advance(A_MOMENT)
    lives.campus.report(ticket, 60)
    lives.die_everywhere(*lives.hooks())
    assert lives.case(ticket).reports[-1].percent == 60
    at_rest(lives)


def handed_over(lives: Lives, ticket: str) -> None:
    """The unit asks for another link, answers with a file, and at last takes what was done for it: the issue and the tasks are closed."""
    lives.walk(ticket, until=TRIED)
    lives.die_everywhere(lives.answer(ticket, to="/tautan"))
    file = ("berkas", b"%PDF-1.7\nsudah dicoba")
    lives.die_everywhere(lives.answer(ticket, file=file, jenis="jawab", hasil="lulus", catatan="Sudah dicoba", oleh="Dekan"))
    assert [file.name for sent in lives.case(ticket).sent for file in sent.attachments] == ["pindai.pdf"]
    at_rest(lives)
    lives.walk(ticket, until=HANDED_OVER)
    lives.die_everywhere(lives.portal("serah_terima.ditanggapi", tiket=ticket, hasil="terima", catatan="", oleh="Dekan"))
    assert lives.case(ticket).status == "selesai"
    assert lives.campus.issue(ticket)["state"] == "closed"
    assert set(lives.tasks(ticket).values()) == {"closed"}
    at_rest(lives)


def erased(lives: Lives, ticket: str) -> None:
    """Nothing of what people wrote is left on the platform, nor a file of ours, whether or not anything led to it."""
    assert lives.case(ticket).erased_at
    assert lives.campus.notes(ticket) == []
    assert lives.store.verify() == []
    assert [at for at in uploads(lives.campus) if "/laporan-mingguan-" not in at] == []
