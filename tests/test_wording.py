"""Every sentence on the platform, to the letter, and with strangers' words in it: nothing in them is ever executed, called or loaded."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from jinja2 import UndefinedError
from markdown_it import MarkdownIt
from markdown_it.token import Token

from integration.procedure.case import Case
from integration.procedure.decide import Decision
from integration.procedure.effects import PostNote
from integration.procedure.facts import (
    AccessGiven,
    AccessTaken,
    Actor,
    ActorKind,
    Attachment,
    CheckAsked,
    CommandUnclear,
    DocumentAttached,
    EmergencyAsked,
    FormRevised,
    HandOffAsked,
    HelpAsked,
    IssueClosed,
    IssueDrifted,
    IssueReopened,
    OutcomeChosen,
    PauseAsked,
    ResumeAsked,
    SecretWritten,
    StepExpired,
    StepLabelMoved,
    TeamNamed,
    Ticked,
    Via,
    WeekDue,
    WeekEnded,
)
from integration.procedure.guards import Code
from integration.procedures import load
from integration.templates import TEMPLATES, messages
from sandbox.gitlab import GitLab, Level
from sync.display import Display
from sync.wording import Wording, long_date, marker
from tests.core.office import UNIT, organisation, submission
from tests.core.run import Run, written_for
from tests.core.straight import every_step, prepare, walk

SNAPSHOTS = Path(__file__).parent / "snapshots" / "notes"
POS = load("pengaduan-masalah-teknis-si.2025-05")
OFFICE = organisation()
DISPLAY = Display((POS,), OFFICE, Wording(OFFICE))
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
    run.case = replace(run.open, submissions=(submission(**form),))
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


def without_a_team(run: Run) -> Run:
    """An exception order before a team was named; the case waits for access."""
    run.fact(EmergencyAsked, by("kepala", PLAIN), PLAIN)
    walk(run, 27)
    prepare(run)
    return run


STORIES: dict[str, tuple[int, Tell]] = {
    "langkah-maju": (4, lambda run, w: said(run, "kasi", "lengkap", "", w)),
    "langkah-kembali": (20, lambda run, w: said(run, "koordinator", "perlu-perbaikan", w, w)),
    "langkah-menunggu-unit": (5, lambda run, w: said(run, "kepala", "revisi", w, w)),
    "langkah-tim": (16, lambda run, w: said(run, "koordinator", "terima", "", w)),
    "langkah-putaran-baru": (22, lambda run, w: said(run, "layanan", "dikembalikan", w, w)),
    "langkah-belum-disahkan": (4, lambda run, w: said(run, "kepala", "lengkap", "", w)),
    "penolakan-kurang": (6, lambda run, w: said(run, "kasi", "selesai", "", w, sections=(("Mulai", w),))),
    "penolakan-peran": (5, lambda run, w: said(run, "kasi", "setuju", "", w)),
    "penolakan-alasan": (5, lambda run, w: said(run, "kepala", "tolak", "", w)),
    "penolakan-centang": (20, lambda run, w: run.fact(Ticked, by("budi", w), "20.5", done=True)),
    "penolakan-label": (5, lambda run, w: run.fact(StepLabelMoved, by("kepala", w), 9)),
    "penolakan-akses": (30, lambda run, w: run.fact(AccessTaken, by("jaringan", w), w, w)),
    "penolakan-tujuan": (8, lambda run, w: run.fact(HandOffAsked, by("kepala", w), w, w)),
    "penolakan-serahkan": (30, lambda run, w: said(run, "kepala", "serahkan", "", w)),
    "penolakan-unit": (20, lambda run, w: run.portal("lulus", w)),
    "cek": (20, lambda run, w: run.fact(CheckAsked, by("budi", w))),
    "cek-dijeda": (5, lambda run, w: then(run.fact(PauseAsked, by("kepala", w), w), run.fact(CheckAsked, by("budi", w)))),
    "cek-menunggu-unit": (5, lambda run, w: then(run.say("kepala", "revisi", w), run.fact(CheckAsked, by("budi", w)))),
    "penolakan-giliran-unit": (31, lambda run, w: said(run, "kepala", "terima", "", w)),
    "bantuan-menunggu-unit": (31, lambda run, w: run.fact(HelpAsked, by("kepala", w))),
    "cek-berakhir": (5, lambda run, w: then(run.say("kepala", "tolak", w), run.fact(CheckAsked, by("budi", w)))),
    "bantuan-berakhir": (5, lambda run, w: then(run.say("kepala", "tolak", w), run.fact(HelpAsked, by("kepala", w)))),
    "tidak-dikenal-berakhir": (
        5,
        lambda run, w: then(run.say("kepala", "tolak", w), run.fact(CommandUnclear, by("budi", w), "lengkp", "lengkap", "")),
    ),
    "penolakan-berakhir": (5, lambda run, w: then(run.say("kepala", "tolak", w), run.fact(ResumeAsked, by("kepala", w)))),
    "bantuan": (20, lambda run, w: run.fact(HelpAsked, by("koordinator", w))),
    "tidak-dikenal": (4, lambda run, w: run.fact(CommandUnclear, by("kasi", w), "lengkp" if w == PLAIN else w, "lengkap", "")),
    "tidak-terbaca": (27, lambda run, w: run.fact(CommandUnclear, by("jaringan", w), "akses", None, "akses")),
    "tidak-terbaca-alihkan": (4, lambda run, w: run.fact(CommandUnclear, by("kepala", w), "alihkan", None, "alihkan")),
    "tidak-terbaca-lampir": (4, lambda run, w: run.fact(CommandUnclear, by("kasi", w), "lampir", None, "lampir")),
    "disunting": (4, lambda run, w: run.fact(CommandUnclear, by("kasi", w), "", None, "suntingan")),
    "rahasia": (4, lambda run, w: run.fact(SecretWritten, by("kasi", w))),
    "langkah-tanpa-tim": (8, lambda run, w: said(without_a_team(run), "jaringan", "selesai", "", w)),
    "cek-tanpa-tim": (8, lambda run, w: then(without_a_team(run).say("jaringan", "selesai"), run.fact(CheckAsked, by("budi", w)))),
    "tim": (13, lambda run, w: run.fact(TeamNamed, by("koordinator", w), ("sari", "budi"))),
    "progres": (20, lambda run, _: run.report("budi", "2026-W30", 70)),
    "tagih-progres": (20, lambda run, _: run.fact(WeekDue, UNIT, "2026-W40")),
    "progres-terlewat": (20, lambda run, _: run.fact(WeekEnded, UNIT, "2026-W40", 5)),
    "terlambat": (20, lambda run, _: run.fact(StepExpired, UNIT, run.open.entered_seq, after=timedelta(days=9))),
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
    "jeda": (8, lambda run, w: run.fact(PauseAsked, by("kepala", w), w)),
    "lanjut": (8, lambda run, w: then(run.fact(PauseAsked, by("kepala", w), w), run.fact(ResumeAsked, by("kepala", w)))),
    "darurat": (8, lambda run, w: run.fact(EmergencyAsked, by("kepala", w), w)),
    "berakhir": (5, lambda run, w: said(run, "kepala", "tolak", w, w)),
    "dialihkan": (8, lambda run, w: run.fact(HandOffAsked, by("kepala", w), POS.handoffs[0], w)),
    "selesai": (31, lambda run, w: run.portal("terima", w)),
    "ditutup-manual": (20, lambda run, w: run.fact(IssueClosed, by("budi", w))),
    "dibuka-manual": (31, lambda run, w: then(run.portal("terima"), run.fact(IssueReopened, by("budi", w)))),
    "dipulihkan": (
        20,
        lambda run, _: run.fact(IssueDrifted, UNIT, ("labels", "assignee", "due", "region", "title", "state", "confidential")),
    ),
}


def notes(name: str, words: str, **form: str) -> list[tuple[PostNote, Case]]:
    """The notes a story leads to, and the case they are posted for."""
    step, tell = STORIES[name]
    run = at(step, **form)
    decision = tell(run, words)
    return [(effect, run.open) for effect in decision.effects if isinstance(effect, PostNote)]


def text_of(name: str, words: str, **form: str) -> str:
    """The one note of a story, as it is posted."""
    ((effect, case),) = notes(name, words, **form)
    return DISPLAY.note(effect, case)


class TestToTheLetter:
    @pytest.mark.parametrize("name", STORIES)
    def test_a_note_says_exactly_this(self, name: str):
        written = text_of(name, PLAIN) + "\n"
        path = SNAPSHOTS / f"{name}.md"
        if os.environ.get("ALUR_WRITE_SNAPSHOTS"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(written, encoding="utf-8")
        assert written == path.read_text(encoding="utf-8")

    def test_every_note_is_told_by_a_story(self):
        templates = {path.stem for path in (TEMPLATES / "notes").glob("[!_]*.md")} - {"lampiran-formulir"}
        assert {effect.template for name in STORIES for effect, _ in notes(name, PLAIN)} == templates

    def test_no_snapshot_is_left_behind(self):
        assert {path.stem for path in SNAPSHOTS.glob("*.md")} == {*STORIES}

    def test_the_files_of_a_form_are_listed(self):
        link = f"[galat.png](/uploads/{'a' * 32}/galat.png)"
        files = [
            {"name": "galat.png", "media_type": "image/png", "size": 12, "url": "", "link": link},
            {"name": "![x](y)", "media_type": "text/plain", "size": 3, "url": "https://portal.example/x", "link": ""},
        ]
        written = DISPLAY.note(PostNote("k", "lampiran-formulir", {"version": 2, "files": files}), at(4).open)
        assert written == (
            "**Lampiran formulir versi 2**\n\n"
            f"- {link} (image/png, 12 bita)\n"
            "- \\!\\[x\\](y) (text/plain, 3 bita): `https://portal.example/x`\n\n"
            "<!-- alur:k -->"
        )

    def test_the_description_says_where_the_files_are(self):
        files = (Attachment("galat.png", "image/png", 12, "a" * 64), Attachment("layar.png", "image/png", 3, "b" * 64))
        run = at(4, attachments=files)
        shown = DISPLAY.issue(run.open, datetime(2026, 6, 2, tzinfo=UTC)).description
        assert (
            "#### Lampiran\n\n- galat.png (image/png, 12 bita)\n- layar.png (image/png, 3 bita)\n\n"
            "Berkasnya ditautkan dalam komentar di bawah.\n"
        ) in shown

    @pytest.mark.parametrize("code", Code)
    def test_every_refusal_has_a_sentence(self, code: Code):
        assert messages("refusals")[code].endswith(".")

    def test_no_sentence_is_left_over(self):
        assert {*messages("refusals")} == {*Code}

    def test_a_field_of_the_form_has_a_name(self):
        assert {field.name for field in fields(submission())} <= {*messages("fields")}


@pytest.fixture(scope="module")
def forge() -> Iterator[tuple[GitLab, str, int, int]]:
    """A stand-in, our token of the highest rank, a project and an open issue in it."""
    with GitLab() as gitlab:
        project, bot = gitlab.project("pustikom/pengaduan-si"), gitlab.user("alur-pos", "Layanan")
        gitlab.member(project, bot, Level.OWNER)
        for account in ("kepala", "kasi", "all"):
            gitlab.member(project, gitlab.user(account, account), Level.REPORTER)
        yield gitlab, project, gitlab.act(bot)


MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).disable("text_join")
STRUCTURE = {
    "heading_open",
    "list_item_open",
    "table_open",
    "tr_open",
    "fence",
    "code_block",
    "html_block",
    "hr",
    "image",
    "link_open",
    "html_inline",
}


def tokens(text: str) -> Iterator[Token]:
    for token in MARKDOWN.parse(text):
        yield token
        yield from token.children or ()


def skeleton(text: str) -> list[tuple[str, str]]:
    """What of a text is more than words: headings, items, tables, code, HTML, images, and where links lead."""
    return [(t.type, str(t.attrs.get("href", ""))) for t in tokens(text) if t.type in STRUCTURE]


def called(text: str) -> set[str]:
    """The accounts a text calls: `@` in words, not escaped and not in code."""
    runs, run = [], ""
    for token in tokens(text):
        if token.type == "text":
            run += token.content
        else:
            runs.append(run)
            run = ""
    return {name for run in [*runs, run] for name in re.findall(r"(?<![\w/.])@([\w.-]+)", run)}


class TestStrangersWords:
    @pytest.mark.parametrize("name", STORIES)
    def test_a_note_does_nothing_but_what_it_does_with_plain_words(self, name: str, forge):
        gitlab, project, bot = forge
        hostile, plain = text_of(name, HOSTILE), text_of(name, PLAIN)
        assert skeleton(hostile) == skeleton(plain)
        assert called(hostile) <= called(plain)
        iid = bot.open(project, "uji", "uji")
        note = bot.comment(project, iid, hostile)
        assert stored(gitlab, project, f"issues/{iid}/notes/{note}")["body"] == hostile
        assert untouched(stored(gitlab, project, f"issues/{iid}"))

    @pytest.mark.parametrize("step", [4, 20, 24])
    def test_a_description_does_nothing(self, step: int, forge):
        gitlab, project, bot = forge
        form = {field.name: HOSTILE for field in fields(submission()) if field.type is str} | {"since": "2026-06-01T07:00:00+07:00"}
        run, plain = at(step, **form), at(step, reproduction="x", system_url="x")
        shown, usual = (DISPLAY.issue(r.open, datetime(2026, 6, 2, tzinfo=UTC)) for r in (run, plain))
        assert skeleton(shown.description) == skeleton(usual.description)
        assert called(shown.description) == called(usual.description) == set()
        iid = bot.open(project, shown.title, shown.description)
        issue = stored(gitlab, project, f"issues/{iid}")
        assert (issue["title"], issue["description"]) == (shown.title, shown.description)
        assert untouched(issue)

    def test_only_people_of_the_organisation_are_called(self):
        environment = DISPLAY.wording
        assert environment.render("notes/rahasia.md", by="kasi").startswith("@kasi,")
        for stranger in ("all", "kasi\n/close", "KASI", ""):
            assert "@" not in environment.render("notes/rahasia.md", by=stranger).split(",")[0]


def stored(gitlab: GitLab, project: object, path: str) -> dict:
    """A record of the stand-in, as its API gives it to an administrator."""
    admin = gitlab.act(gitlab.user(f"admin-{os.urandom(4).hex()}", "Admin", admin=True))
    return admin._call("GET", f"/projects/{project.id}/{path}").json()  # noqa: SLF001 - the stand-in's own way to ask


def untouched(issue: dict) -> bool:
    """Whether nothing was done to an issue beyond what was asked."""
    return (issue["state"], issue["labels"], issue["assignees"], issue["due_date"], issue["confidential"]) == (
        "opened",
        [],
        [],
        None,
        False,
    )


class TestWords:
    def test_a_value_nobody_made_harmless_is_made_harmless(self):
        assert "\\@all" in DISPLAY.wording.render("notes/lampiran.md", document="@all", by="x")

    def test_a_name_the_template_needs_is_not_forgotten(self):
        with pytest.raises(UndefinedError):
            DISPLAY.wording.render("notes/lampiran.md", document="x")

    def test_a_marker_ends_its_comment_where_it_should(self):
        assert marker("note:SI-2026-000001:penolakan:--> <b>") == "<!-- alur:note:SI-2026-000001:penolakan:--%3E%20%3Cb%3E -->"

    def test_dates_are_indonesian_and_in_the_office_s_time(self):
        written = DISPLAY.wording.render("notes/akses.md", account="sari", server="s", right="r", until="2026-12-31", by="x")
        assert "sampai Kamis, 31 Desember 2026" in written
        assert long_date(date(2026, 6, 2)) == "2 Juni 2026"

    @pytest.mark.parametrize(
        "link", ["[x](http://jahat.example)", "![x](/uploads/x/y.png)", "[x](/uploads/../y)", f"[x](/uploads/{'a' * 32}/y) @all"]
    )
    def test_only_an_upload_of_ours_is_a_link(self, link: str):
        files = [{"name": "n", "media_type": "m", "size": 1, "url": "", "link": link}]
        written = DISPLAY.wording.render("notes/lampiran-formulir.md", version=1, files=files)
        assert not any(token.type in {"link_open", "image"} for token in tokens(written))
        assert called(written) == set()
