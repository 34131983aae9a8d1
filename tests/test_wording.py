"""Every sentence on the platform, to the letter, and with strangers' words in it: nothing in them is ever executed, called or loaded."""

import os
import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from integration.faults import Failure, Permanent
from integration.procedure.case import Case
from integration.procedure.effects import PostNote
from integration.procedure.facts import Attachment
from integration.procedure.guards import Code
from integration.templates import TEMPLATES, messages
from sandbox.gitlab import GitLab, Level
from sync.display import Display
from sync.wording import Wording, long_date, marker
from tests.core.office import submission
from tests.told import HOSTILE, NEWER, OFFICE, PLAIN, POS, REGIONS, STORIES, at

SNAPSHOTS = Path(__file__).parent / "snapshots"
DISPLAY = Display((POS, NEWER), OFFICE, Wording(OFFICE))


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


def region_of(name: str, words: str) -> str:
    """The service's part of the description."""
    step, tell = REGIONS[name]
    run = tell(at(step), words)
    display = Display((POS,), run.organisation, Wording(run.organisation))
    return display.issue(run.open, run.now, "").description


def as_kept(kind: str, name: str, written: str) -> str:
    """The text kept of this; the text itself where snapshots are being written."""
    path = SNAPSHOTS / kind / f"{name}.md"
    if os.environ.get("ALUR_WRITE_SNAPSHOTS"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(written, encoding="utf-8")
    return path.read_text(encoding="utf-8")


class TestToTheLetter:
    @pytest.mark.parametrize("name", STORIES)
    def test_a_note_says_exactly_this(self, name: str):
        written = text_of(name, PLAIN) + "\n"
        assert written == as_kept("notes", name, written)

    @pytest.mark.parametrize("name", REGIONS)
    def test_the_region_says_exactly_this(self, name: str):
        written = region_of(name, PLAIN) + "\n"
        assert written == as_kept("region", name, written)

    def test_every_note_is_told_by_a_story(self):
        templates = {path.stem for path in (TEMPLATES / "notes").glob("[!_]*.md")} - {"lampiran-formulir"}
        assert {effect.template for name in STORIES for effect, _ in notes(name, PLAIN)} == templates

    def test_every_refusal_is_told_by_a_story(self):
        told = {effect.context["code"] for name in STORIES for effect, _ in notes(name, PLAIN) if "code" in effect.context}
        assert told | {Code.SECRET} == {*Code}, "a secret is answered by a note of its own"

    def test_every_way_to_change_an_issue_is_told(self):
        ((mended, _),) = notes("dipulihkan-semua", PLAIN)
        assert mended.context["what"] == [*messages("drift")]

    def test_no_snapshot_is_left_behind(self):
        assert {path.stem for path in (SNAPSHOTS / "notes").glob("*.md")} == {*STORIES}
        assert {path.stem for path in (SNAPSHOTS / "region").glob("*.md")} == {*REGIONS}

    def test_the_files_of_a_form_are_listed(self):
        link = f"[galat.png](/uploads/{'a' * 32}/galat.png)"
        files = [
            {"name": "galat.png", "media_type": "image/png", "size": 12, "url": "", "link": link, "refused": "", "scan": ""},
            {
                "name": "![x](y)",
                "media_type": "text/plain",
                "size": 3,
                "url": "https://portal.example/x",
                "link": "",
                "refused": "alamatnya tidak menjawab",
                "scan": "",
            },
        ]
        written = DISPLAY.note(PostNote("k", "lampiran-formulir", {"version": 2, "step": 0, "files": files}), at(4).open)
        assert written == (
            "**Lampiran formulir versi 2**\n\n"
            f"- {link} (image/png, 12 bita)\n"
            "- \\!\\[x\\](y) (text/plain, 3 bita): tidak ditampilkan karena alamatnya tidak menjawab: `https://portal.example/x`\n\n"
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
        run, plain = at(step, **form), at(step, reproduction="x", system_url="x", basis="x", entered_by="x")
        shown, usual = (DISPLAY.issue(r.open, datetime(2026, 6, 2, tzinfo=UTC)) for r in (run, plain))
        assert skeleton(shown.description) == skeleton(usual.description)
        assert called(shown.description) == called(usual.description) == set()
        iid = bot.open(project, shown.title, shown.description)
        issue = stored(gitlab, project, f"issues/{iid}")
        assert (issue["title"], issue["description"]) == (shown.title, shown.description)
        assert untouched(issue)

    @pytest.mark.parametrize("name", REGIONS)
    def test_the_region_does_nothing_but_what_it_does_with_plain_words(self, name: str):
        hostile = region_of(name, HOSTILE)
        assert skeleton(hostile) == skeleton(region_of(name, PLAIN))
        assert called(hostile) == set()
        assert hostile.count("<!--") == hostile.count("-->") == len(("alur:mulai", "alur:selesai"))

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
        with pytest.raises(Permanent, match=r"^notes/lampiran\.md:1: .*'by' is undefined") as fault:
            DISPLAY.wording.render("notes/lampiran.md", document="x")
        assert fault.value.failure == Failure.TEMPLATE

    def test_a_marker_ends_its_comment_where_it_should(self):
        assert marker("note:SI-2026-000001:penolakan:--> <b>") == "<!-- alur:note:SI-2026-000001:penolakan:--%3E%20%3Cb%3E -->"

    def test_dates_are_indonesian_and_in_the_office_s_time(self):
        written = DISPLAY.wording.render("notes/akses.md", account="sari", server="s", right="r", until="2026-12-31", by="x")
        assert "sampai Kamis, 31 Desember 2026" in written
        assert long_date(date(2026, 6, 2)) == "2 Juni 2026"

    @pytest.mark.parametrize(
        "link",
        [
            "[x](http://jahat.example)",
            "[x](https://jahat.example/lampiran/y)",
            "![x](/uploads/x/y.png)",
            "[x](/uploads/../y)",
            f"[x](/uploads/{'a' * 32}/y) @all",
        ],
    )
    def test_only_an_upload_of_ours_is_a_link(self, link: str):
        files = [{"name": "n", "media_type": "m", "size": 1, "url": "", "link": link, "refused": "", "scan": ""}]
        written = DISPLAY.wording.render("notes/lampiran-formulir.md", version=1, step=0, files=files)
        assert not any(token.type in {"link_open", "image"} for token in tokens(written))
        assert called(written) == set()
