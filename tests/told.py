"""Every note the service posts, and what leads to it: told to the core, so that the words get what it really makes.

Each story is told with plain words and with hostile ones in every place where people write.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from integration.procedure.decide import Decision
from integration.procedure.facts import (
    SERVICE,
    AccessGiven,
    AccessTaken,
    Activity,
    Actor,
    ActorKind,
    Chase,
    CheckAsked,
    CommandUnclear,
    Copy,
    DocumentAttached,
    DocumentFiled,
    EmergencyAsked,
    Finding,
    FormCorrected,
    FormRevised,
    HandOffAsked,
    HelpAsked,
    IssueClosed,
    IssueDrifted,
    IssueLost,
    IssueReopened,
    OrganisationChanged,
    OutcomeChosen,
    PauseAsked,
    PriorityMoved,
    ProgressMade,
    Reminder,
    ReminderDue,
    ReportsOwed,
    ResumeAsked,
    RevisionAdopted,
    SecretWritten,
    SignedCopyGiven,
    StepLabelMoved,
    TeamNamed,
    Ticked,
    Via,
    WeekDue,
    Withdrawn,
)
from integration.procedure.offices import DayOff, Holding, Organisation, Papers, Provider
from integration.procedures import load
from integration.templates import messages
from tests.core.office import CALENDAR, UNIT, office, organisation, submission
from tests.core.run import Run, written_for
from tests.core.straight import every_step, prepare, walk

POS = load("pengaduan-masalah-teknis-si.2025-05")
NEWER = replace(POS, revision="2027-01")
OFFICE = organisation()
STEPS = every_step(POS)

PLAIN = "Masih ada galat saat menyimpan."
HOSTILE = (
    'x @all @kepala #1 !2 ~bug ~"status::selesai" %1 $1 &1 ![g](http://jahat.example/x.png) <img src=http://jahat.example/y.png> '
    "<b>tebal</b> [k](http://jahat.example) https://jahat.example/1 `k` **t** :tada: [[_TOC_]] <!-- alur:selesai --> --> {{ 7 * 7 }}\n"
    "/close\n\r/assign @kepala\r/label ~penting\n- [x] 4.1 palsu\n| a | b |\n|---|---|\n# judul\n```\n/close\n```\n\n/due 2026-01-01\n\n"
    "<details>\n\n/confidential\n\n</details>\n\n> kutipan\n\n---\n<script>alert(1)</script>"
)

Tell = Callable[[Run, str], Decision]


def at(step: int, **form: object) -> Run:
    """A case at this step; `form`: what its form says instead."""
    run = STEPS[step].copy()
    run.checked = False
    run.case = replace(run.open, iid=41, submissions=(submission(**form),))
    return run


def said(run: Run, account: str, word: str, reason: str, name: str, **options: tuple[tuple[str, str], ...]) -> Decision:
    sections = options.get("sections", written_for(run, word))
    return run.fact(OutcomeChosen, by(account, name), word, reason, sections, Via.COMMENT)


def by(account: str, name: str) -> Actor:
    return Actor(ActorKind.PERSON, account, "Rina Wulandari, S.Kom." if name is PLAIN else name)


def revised(run: Run, words: str) -> Decision:
    """The unit sends its form once more, with other words."""
    return run.fact(FormRevised, UNIT, submission(subject=words, description=words, urgency="kritis"))


def then(first: Decision, second: Decision) -> Decision:
    """Two things in a row: what follows from the second."""
    assert first.entries
    return second


WHEN = {
    Reminder.DAY_BEFORE: timedelta(days=-1),
    Reminder.ON_THE_DAY: timedelta(hours=-1),
    Reminder.AFTER: timedelta(minutes=1),
    Reminder.ONE_UP: timedelta(days=5),
}
"""From the due time of a step in the middle of plain weeks."""


def reminded(run: Run, kind: Reminder) -> Decision:
    """It is time to remind of the step's due time."""
    assert run.open.due is not None
    return run.fact(ReminderDue, UNIT, run.open.entered_seq, kind, run.open.due, after=run.open.due + WHEN[kind] - run.now)


def changed(run: Run) -> Decision:
    """The organisation is not what it was."""
    return run.fact(OrganisationChanged, UNIT)


def closed(run: Run, words: str) -> Run:
    """The office is closed on a day, by a decree."""
    name, decree = ("Hari Tenang Pemilihan", "Keputusan Rektor Nomor 7 Tahun 2026") if words is PLAIN else (words, words)
    off = DayOff(run.now.date() + timedelta(days=1), name, decree)
    return under(run, replace(OFFICE, calendar=replace(CALENDAR, days_off={off.day: off})))


def uncharted(run: Run) -> Run:
    """The decree of this year is not loaded."""
    return under(run, replace(OFFICE, calendar=replace(CALENDAR, years=frozenset({2027}))))


def adopted(run: Run) -> Decision:
    """A new revision of the procedure, by which the case goes on."""
    run.procedure = NEWER
    return run.fact(RevisionAdopted, UNIT, NEWER.revision)


def without_a_team(run: Run) -> Run:
    """An exception order before a team was named; the case waits for access."""
    run.fact(EmergencyAsked, by("kepala", PLAIN), PLAIN)
    walk(run, 27)
    prepare(run)
    return run


def waiting_for_a_team(run: Run) -> Run:
    """An exception order has come to a team's step, and nobody was named."""
    without_a_team(run).say("jaringan", "selesai")
    return run


def typed_at_once(run: Run, words: str) -> Decision:
    """The second of two who may leave a step types the same word as the first, a moment later."""
    return run.fact(OutcomeChosen, by("layanan", words), "selesai", "", (), Via.COMMENT, after=timedelta(seconds=1))


def drafted(run: Run, words: str, **other: object) -> Decision:
    """A week's report is put together from what was done."""
    done = Activity(
        ticked=(words,), merge_requests=("!7", "pustikom/siakad!12"), commits=("pustikom/siakad@" + "1a2b3c4d" * 5,), done=1, tasks=3
    )
    return run.fact(WeekDue, UNIT, "2026-W24", replace(done, **other), after=timedelta(days=7))


def owed(run: Run, kind: Chase, *others: str) -> Decision:
    """Somebody is told of the reports that are not there."""
    return run.fact(ReportsOwed, UNIT, "2026-W24", kind, "koordinator" if kind is Chase.LIST else "budi", (run.open.ticket, *others))


def paused(run: Run, words: str) -> Run:
    """The case is paused by its head."""
    run.fact(PauseAsked, by("kepala", words), words)
    return run


def ended(run: Run, words: str) -> Run:
    """The complaint is refused: the case has ended."""
    run.say("kepala", "tolak", words)
    return run


def ordered(run: Run, words: str) -> Run:
    """Under an exception order, up to where the skipped steps are made up for."""
    run.fact(EmergencyAsked, by("kepala", words), words)
    walk(run, 28)
    run.assign()
    run.tick_all("budi")
    run.say("budi", "selesai")
    return run


def under(run: Run, organised: Organisation) -> Run:
    """The office is organised otherwise from now on."""
    run.organisation = organised
    return run


def vacant(run: Run, role: str) -> Run:
    """Nobody holds this role."""
    return under(run, organisation(without=role))


def held_by(run: Run, role: str, account: str, holding: Holding = Holding.FULL) -> Run:
    """Somebody else of the office holds this role, too."""
    return under(run, organisation(office(role, account, holding)))


LETTER, HANDOVER = "surat-tugas", "berita-acara-serah-terima"


def filed(run: Run) -> Run:
    """Every paper is made, and signed copies are asked for."""
    for paper in run.open.documents:
        run.fact(DocumentFiled, UNIT, paper.id, "7/UN39.17/VI/2026", "a" * 64, 1000, f"[x.pdf](/uploads/{'a' * 32}/x.pdf)")
    return under(run, replace(OFFICE, papers=Papers(provider=Provider.WET)))


def signed(run: Run, words: str, document: str = LETTER, signer: str = "", **other: object) -> Decision:
    """Somebody hands in a signed copy of the newest paper of this type."""
    account = str(other.pop("account", "kepala"))
    paper = run.open.current_paper(document)
    certificate = "Ratna Wulandari" if words is PLAIN else words
    copy = Copy("b" * 64, 2000, "application/pdf", f"[ttd.pdf](/uploads/{'b' * 32}/ttd.pdf)", certificate)
    said = {"paper": paper.id if paper else "", "provider": "unggah", "copy": copy, "finding": Finding.SOUND} | other
    return run.fact(SignedCopyGiven, by(account, words), document, signer=signer, **said)


def handed_over(run: Run) -> Run:
    """The unit accepted; the paper both sides sign is made."""
    run.portal("terima", "Baik")
    return filed(run)


def amended(run: Run) -> Run:
    """An amended letter took the place of the first one."""
    run.assign("koordinator", "tono")
    run.say("kepala", "setuju")
    return filed(run)


STORIES: dict[str, tuple[int, Tell]] = {
    "langkah-maju": (4, lambda run, w: said(run, "kasi", "lengkap", "", w)),
    "langkah-kembali": (20, lambda run, w: said(run, "koordinator", "perlu-perbaikan", w, w)),
    "langkah-menunggu-unit": (5, lambda run, w: said(run, "kepala", "revisi", w, w)),
    "langkah-tim": (16, lambda run, w: said(run, "koordinator", "terima", "", w)),
    "langkah-putaran-baru": (22, lambda run, w: said(run, "layanan", "dikembalikan", w, w)),
    "langkah-belum-disahkan": (4, lambda run, w: said(run, "kepala", "lengkap", "", w)),
    "langkah-tanpa-tim": (8, lambda run, w: said(without_a_team(run), "jaringan", "selesai", "", w)),
    "langkah-lowong": (8, lambda run, w: said(vacant(run, "kadiv-pengembangan"), "layanan", "selesai", "", w)),
    "langkah-plh": (4, lambda run, w: said(held_by(run, "kepala-pustikom", "layanan", Holding.DEPUTY), "kasi", "lengkap", "", w)),
    "penolakan-kurang": (6, lambda run, w: said(run, "kasi", "selesai", "", w, sections=(("Mulai", w),))),
    "penolakan-kurang-tim": (13, lambda run, w: said(run, "koordinator", "selesai", "", w, sections=())),
    "penolakan-kurang-serahkan": (30, lambda run, w: said(run, "kepala", "serahkan", "", w)),
    "penolakan-kurang-akses": (27, lambda run, w: said(run, "jaringan", "selesai", "", w)),
    "penolakan-kurang-lampiran": (24, lambda run, w: said(run, "koordinator", "lulus", "", w)),
    "penolakan-kurang-alasan": (5, lambda run, w: said(run, "kepala", "tolak", "", w)),
    "penolakan-alasan-jeda": (5, lambda run, w: run.fact(PauseAsked, by("kepala", w), "")),
    "penolakan-peran": (5, lambda run, w: said(run, "kasi", "setuju", "", w)),
    "penolakan-peran-perintah": (8, lambda run, w: run.fact(PauseAsked, by("budi", w), w)),
    "penolakan-peran-batal": (8, lambda run, w: run.fact(Withdrawn, by("kepala", w), w)),
    "penolakan-peran-centang": (20, lambda run, w: run.fact(Ticked, by("budi", w), "20.5", done=True)),
    "penolakan-peran-unit": (31, lambda run, w: said(run, "kepala", "terima", "", w)),
    "penolakan-peran-prioritas": (8, lambda run, w: run.fact(PriorityMoved, by("budi", w), "kritis")),
    "penolakan-peran-lowong": (
        9,
        lambda run, w: said(vacant(run, "kadiv-pengembangan"), "layanan", "selesai", "", w),
    ),
    "penolakan-prioritas": (8, lambda run, w: run.fact(PriorityMoved, by("kasi", w), "mendesak" if w is PLAIN else w)),
    "penolakan-langkah-lain": (20, lambda run, w: run.portal("lulus", w, step=24)),
    "penolakan-pilihan": (20, lambda run, w: said(run, "koordinator", "setuju", "", w)),
    "penolakan-pilihan-unit": (20, lambda run, w: run.portal("lulus", w)),
    "penolakan-dijeda": (8, lambda run, w: said(paused(run, w), "layanan", "selesai", "", w)),
    "penolakan-tanpa-tim": (8, lambda run, w: said(waiting_for_a_team(run), "budi", "selesai", "", w)),
    "penolakan-anggota-tim": (20, lambda run, w: said(held_by(run, "koordinator-programmer", "budi"), "budi", "diterima", "", w)),
    "penolakan-penandatangan": (
        21,
        lambda run, w: said(held_by(run, "kadiv-pengembangan", "koordinator"), "koordinator", "diterima", "", w),
    ),
    "penolakan-terdahului": (6, lambda run, w: then(run.say("kasi", "selesai"), typed_at_once(run, w))),
    "penolakan-dua-label": (5, lambda run, w: run.fact(StepLabelMoved, by("kepala", w), 6, (9,))),
    "penolakan-label": (5, lambda run, w: run.fact(StepLabelMoved, by("kepala", w), 9)),
    "penolakan-label-isian": (4, lambda run, w: run.fact(StepLabelMoved, by("kasi", w), 5)),
    "penolakan-bukan-centang": (20, lambda run, w: run.fact(Ticked, by("koordinator", w), "20.1", done=False)),
    "penolakan-surat": (15, lambda run, w: run.fact(TeamNamed, by("koordinator", w), ("sari", "tono"))),
    "penolakan-tim": (13, lambda run, w: run.fact(TeamNamed, by("koordinator", w), ("budi", "orang-lain"))),
    "penolakan-progres-dini": (8, lambda run, _: run.report("koordinator")),
    "penolakan-progres": (19, lambda run, _: run.report("budi", percent=None, **{"Kendala dan solusi": ""})),
    "penolakan-akses-lewat": (27, lambda run, w: run.fact(AccessGiven, by("jaringan", w), "budi", w, "ssh", date(2026, 1, 2))),
    "penolakan-akses-terlambat": (31, lambda run, w: run.fact(AccessGiven, by("jaringan", w), "budi", w, "ssh", date(2026, 12, 31))),
    "penolakan-cabut": (30, lambda run, w: run.fact(AccessTaken, by("jaringan", w), w, w)),
    "penolakan-cabut-kosong": (20, lambda run, w: run.fact(AccessTaken, by("jaringan", w), w, w)),
    "penolakan-dokumen": (24, lambda run, w: run.fact(DocumentAttached, by("koordinator", w), w, ())),
    "penolakan-tanpa-berkas": (24, lambda run, w: run.fact(DocumentAttached, by("koordinator", w), "formulir-uji-coba", ())),
    "penolakan-sudah-dijeda": (8, lambda run, w: paused(run, w).fact(PauseAsked, by("kepala", w), w)),
    "penolakan-tidak-dijeda": (8, lambda run, w: run.fact(ResumeAsked, by("kepala", w))),
    "penolakan-tanpa-waktu": (5, lambda run, w: then(run.say("kepala", "revisi", w), run.fact(PauseAsked, by("kepala", w), w))),
    "penolakan-tujuan": (8, lambda run, w: run.fact(HandOffAsked, by("kepala", w), w, w)),
    "penolakan-pengecualian": (28, lambda run, w: run.fact(EmergencyAsked, by("kepala", w), w)),
    "penolakan-pengecualian-berjalan": (8, lambda run, w: ordered(run, w).fact(EmergencyAsked, by("kepala", w), w)),
    "penolakan-formulir": (8, revised),
    "penolakan-berakhir": (5, lambda run, w: ended(run, w).fact(ResumeAsked, by("kepala", w))),
    "penolakan-berakhir-prioritas": (5, lambda run, w: ended(run, w).fact(PriorityMoved, by("kasi", w), "kritis")),
    "cek": (20, lambda run, w: run.fact(CheckAsked, by("budi", w))),
    "cek-dijeda": (5, lambda run, w: paused(run, w).fact(CheckAsked, by("budi", w))),
    "cek-menunggu-unit": (5, lambda run, w: then(run.say("kepala", "revisi", w), run.fact(CheckAsked, by("budi", w)))),
    "cek-berakhir": (5, lambda run, w: ended(run, w).fact(CheckAsked, by("budi", w))),
    "cek-tanpa-tim": (8, lambda run, w: then(without_a_team(run).say("jaringan", "selesai"), run.fact(CheckAsked, by("budi", w)))),
    "cek-lowong": (9, lambda run, w: vacant(run, "kadiv-pengembangan").fact(CheckAsked, by("budi", w))),
    "bantuan": (20, lambda run, w: run.fact(HelpAsked, by("koordinator", w))),
    "bantuan-menunggu-unit": (31, lambda run, w: run.fact(HelpAsked, by("kepala", w))),
    "bantuan-berakhir-naskah": (31, lambda run, w: handed_over(run).fact(HelpAsked, by("kasi", w))),
    "bantuan-berakhir": (5, lambda run, w: ended(run, w).fact(HelpAsked, by("kepala", w))),
    "tidak-dikenal": (4, lambda run, w: run.fact(CommandUnclear, by("kasi", w), "lengkp" if w == PLAIN else w, "lengkap", "")),
    "tidak-dikenal-berakhir": (5, lambda run, w: ended(run, w).fact(CommandUnclear, by("budi", w), "lengkp", "lengkap", "")),
    "tidak-terbaca": (27, lambda run, w: run.fact(CommandUnclear, by("jaringan", w), "akses", None, "akses")),
    "tidak-terbaca-alihkan": (4, lambda run, w: run.fact(CommandUnclear, by("kepala", w), "alihkan", None, "alihkan")),
    "tidak-terbaca-lampir-naskah": (18, lambda run, w: filed(run).fact(CommandUnclear, by("kasi", w), "lampir", None, "lampir")),
    "tidak-terbaca-lampir": (4, lambda run, w: run.fact(CommandUnclear, by("kasi", w), "lampir", None, "lampir")),
    "satu-perintah": (4, lambda run, w: run.fact(CommandUnclear, by("kasi", w), "", None, "satu-perintah")),
    "baris-pertama": (4, lambda run, w: run.fact(CommandUnclear, by("kasi", w), "", None, "baris-pertama")),
    "terlalu-panjang": (4, lambda run, w: run.fact(CommandUnclear, by("kasi", w), "revisi", None, "terlalu-panjang")),
    "disunting": (4, lambda run, w: run.fact(CommandUnclear, by("kasi", w), "", None, "suntingan")),
    "rahasia": (4, lambda run, w: run.fact(SecretWritten, by("kasi", w))),
    "tim": (13, lambda run, w: run.fact(TeamNamed, by("koordinator", w), ("sari", "budi"))),
    "tim-usulan": (18, lambda run, w: run.fact(TeamNamed, by("koordinator", w), ("tono", "budi"))),
    "tim-ditolak": (18, lambda run, w: then(run.assign("koordinator", "tono"), said(run, "kepala", "kembali", w, w))),
    "prioritas": (8, lambda run, w: run.fact(PriorityMoved, by("kasi", w), "kritis")),
    "progres": (20, lambda run, _: run.report("budi", "2026-W30", 70)),
    "rancangan-progres": (20, drafted),
    "rancangan-progres-lengkap": (20, lambda run, w: drafted(run, w, comments=("Server uji penuh; sudah ditambah." if w is PLAIN else w,))),
    "rancangan-progres-kosong": (18, lambda run, _: drafted(run, PLAIN, ticked=(), merge_requests=(), commits=(), tasks=0)),
    "penolakan-progres-rancangan": (20, lambda run, w: then(drafted(run, w), run.fact(ProgressMade, by("budi", w), "2026-W24", None, ()))),
    "progres-ditagih": (20, lambda run, _: owed(run, Chase.ASK)),
    "progres-ditagih-beberapa": (20, lambda run, _: owed(run, Chase.ASK, "SI-2026-000002")),
    "progres-diingatkan": (20, lambda run, _: owed(run, Chase.REMIND)),
    "progres-daftar": (20, lambda run, _: owed(run, Chase.LIST, "SI-2026-000002")),
    "revisi-diterima": (5, lambda run, w: then(run.say("kepala", "revisi", w), revised(run, w))),
    "akses-dicabut": (
        28,
        lambda run, w: run.fact(AccessTaken, by("jaringan", w), run.open.open_grants[0].account, run.open.open_grants[0].server),
    ),
    "akses": (
        27,
        lambda run, w: run.fact(
            AccessGiven, by("jaringan", w), "sari", "srv-siakad" if w is PLAIN else w, "ssh" if w is PLAIN else w, date(2026, 12, 31)
        ),
    ),
    "lampiran": (24, lambda run, w: run.fact(DocumentAttached, by("koordinator", w), "formulir-uji-coba", ("[f.pdf](/uploads/x/f.pdf)",))),
    "tanda-tangan": (18, lambda run, w: signed(filed(run), w)),
    "tanda-tangan-pindaian": (18, lambda run, w: signed(filed(run), w, provider="basah", copy=Copy("b" * 64, 9, "image/jpeg"))),
    "tanda-tangan-berikutnya": (31, lambda run, w: signed(handed_over(run), w, HANDOVER, provider="bsre")),
    "penolakan-tanda-tangan": (18, lambda run, w: signed(filed(run), w, account="budi")),
    "penolakan-tanda-tangan-siapa": (31, lambda run, w: signed(handed_over(run), w, HANDOVER, account="kasi")),
    "penolakan-tanda-tangan-urutan": (
        31,
        lambda run, w: signed(handed_over(run), w, HANDOVER, "pimpinan-unit-kerja", account="kasi"),
    ),
    "penolakan-tanda-tangan-lagi": (31, lambda run, w: then(signed(handed_over(run), w, HANDOVER), signed(run, w, HANDOVER))),
    "penolakan-tanda-tangan-belum": (18, signed),
    "penolakan-tanda-tangan-lama": (18, lambda run, w: signed(amended(run), w, paper=f"{run.open.ticket}/{LETTER}/2")),
    **{
        f"penolakan-naskah-{finding.value.replace('_', '-')}": (18, lambda run, w, finding=finding: signed(filed(run), w, finding=finding))
        for finding in Finding
        if finding not in (Finding.UNSEEN, Finding.SOUND)
    },
    "jeda": (8, lambda run, w: run.fact(PauseAsked, by("kepala", w), w)),
    "lanjut": (8, lambda run, w: paused(run, w).fact(ResumeAsked, by("kepala", w))),
    "darurat": (8, lambda run, w: run.fact(EmergencyAsked, by("kepala", w), w)),
    "berakhir": (5, lambda run, w: said(run, "kepala", "tolak", w, w)),
    "berakhir-akses": (28, lambda run, w: run.fact(Withdrawn, UNIT, w)),
    "dialihkan": (8, lambda run, w: run.fact(HandOffAsked, by("kepala", w), POS.handoffs[0], w)),
    "selesai": (31, lambda run, w: run.portal("terima", w)),
    "ditutup-manual": (20, lambda run, w: run.fact(IssueClosed, by("budi", w))),
    "ditutup-manual-berwenang": (20, lambda run, w: run.fact(IssueClosed, by("koordinator", w))),
    "dibuka-manual": (31, lambda run, w: then(run.portal("terima"), run.fact(IssueReopened, by("budi", w)))),
    "pengingat-sebelum": (8, lambda run, _: reminded(run, Reminder.DAY_BEFORE)),
    "pengingat-hari-ini": (8, lambda run, _: reminded(run, Reminder.ON_THE_DAY)),
    "pengingat-sesudah": (18, lambda run, _: reminded(run, Reminder.AFTER)),
    "pengingat-tanpa-tim": (8, lambda run, _: reminded(waiting_for_a_team(run), Reminder.AFTER)),
    "pengingat-lowong": (9, lambda run, _: reminded(vacant(run, "kadiv-pengembangan"), Reminder.AFTER)),
    "pengingat-unit": (24, lambda run, _: reminded(run, Reminder.AFTER)),
    "eskalasi": (8, lambda run, _: reminded(run, Reminder.ONE_UP)),
    "eskalasi-lowong": (9, lambda run, _: reminded(vacant(run, "kadiv-pengembangan"), Reminder.ONE_UP)),
    "pejabat-berganti": (8, lambda run, _: changed(held_by(run, "kadiv-layanan", "pengembangan", Holding.ACTING))),
    "pejabat-berganti-lowong": (9, lambda run, _: changed(vacant(run, "kadiv-pengembangan"))),
    "tenggat-berubah": (8, lambda run, w: changed(closed(run, w))),
    "tenggat-berubah-kalender": (8, lambda run, _: changed(uncharted(run))),
    "tiket-pengganti": (20, lambda run, _: run.fact(IssueLost, UNIT, run.open.iid)),
    "revisi-prosedur": (8, lambda run, _: adopted(run)),
    "koreksi": (20, lambda run, w: run.fact(FormCorrected, SERVICE, replace(run.open.submission, reporter=w, reporter_email="b@c.id"))),
    "dipulihkan": (20, lambda run, _: run.fact(IssueDrifted, UNIT, ("assignee",), ("budi",))),
    "dipulihkan-semua": (20, lambda run, _: run.fact(IssueDrifted, UNIT, tuple(messages("drift")), ("budi", "sari"))),
    "dipulihkan-tanpa-nama": (20, lambda run, _: run.fact(IssueDrifted, UNIT, ("priority", "step"))),
}


def after(run: Run, *_: Decision) -> Run:
    """The run, once something was decided in it."""
    return run


REGIONS: dict[str, tuple[int, Callable[[Run, str], Run]]] = {
    "berjalan": (20, lambda run, _: run),
    "libur": (8, lambda run, w: after(run, changed(closed(run, w)))),
    "tanpa-kalender": (8, lambda run, _: after(run, changed(uncharted(run)))),
    "dijeda": (8, paused),
    "pengecualian": (8, lambda run, w: after(run, run.fact(EmergencyAsked, by("kepala", w), w))),
    "lowong": (9, lambda run, _: vacant(run, "kadiv-pengembangan")),
    "lowong-sementara": (11, lambda run, _: vacant(run, "kadiv-pengembangan")),
    "tanpa-tim": (8, lambda run, _: waiting_for_a_team(run)),
    "tim-diusulkan": (18, lambda run, _: after(run, run.assign("koordinator", "tono", "budi"))),
    "unit": (24, lambda run, _: run),
    "tanda-tangan": (18, lambda run, w: after(filed(run), signed(run, w))),
    "tanda-tangan-diganti": (18, lambda run, w: after(filed(run), signed(run, w), run.assign("koordinator", "tono"))),
    "tanda-tangan-sebagian": (31, lambda run, w: after(handed_over(run), signed(run, w, HANDOVER))),
    "revisi": (5, lambda run, w: after(run, run.say("kepala", "revisi", w))),
    "berakhir": (5, ended),
    "dialihkan": (8, lambda run, w: after(run, run.fact(HandOffAsked, by("kepala", w), POS.handoffs[0], w))),
}
"""What the service's part of the description is shown for."""
