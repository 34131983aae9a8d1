"""What the documents say is so: commands parse, `/pos` lines are read, settings, labels, steps, links, paths and names exist."""

import importlib
import itertools
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import click
import pytest

from integration import commands, procedures
from integration.labels import all_labels
from integration.procedure.definition import COMMANDS, QUESTIONS
from integration.settings import PREFIX, Settings
from sync.cli import main

ROOT = Path(__file__).resolve().parents[1]
PROCEDURE = procedures.load("pengaduan-masalah-teknis-si")
GUIDES = sorted((ROOT / "docs" / "panduan").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
FILES = [*PAGES, *(path for path in sorted((ROOT / "deploy").rglob("*")) if path.is_file())]
NO_SETTING = re.compile(r"ALUR_(PICTURES|VERSI|(TEST|BENCH)_[A-Z_]+)")  # of the tests, and of the files that start containers

ROLES = {
    "programmer": {"tim-programmer"},
    "koordinator": {"koordinator-programmer", "koordinator-infrastruktur"},
    "kadiv": {"kadiv-layanan", "kadiv-pengembangan", "kadiv-infrastruktur"},
    "kepala-pustikom": {"kepala-pustikom"},
    "kasi": {"kasi-layanan-administrasi"},
}
"""Whose guide is which; those of the others speak of no steps of their own."""


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(text: str) -> list[str]:
    """What stands between fences, block by block."""
    return re.findall(r"^```\w*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def spans(text: str) -> list[str]:
    """What stands between single backticks."""
    bare = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return [" ".join(found.split()) for found in re.findall(r"`([^`]+)`", bare)]


# --- commands of alur ---


@dataclass(frozen=True)
class Line:
    """A line of `alur` as it is written; `whole`: it stands in a block to be copied, so that nothing may be missing."""

    page: str
    said: str
    whole: bool


def lines(path: Path) -> Iterator[Line]:
    text = read(path)
    begins = re.compile(r"(?:\.venv/bin/|\$ |ExecStart=\S*/)?alur( .*)?$")
    for said in spans(text):
        if re.fullmatch(r"alur [a-z].*", said):
            yield Line(named(path), said, whole=False)
    copied = [part for block in blocks(text) for part in block.splitlines()] + re.findall(r"^ExecStart=.*$", text, flags=re.MULTILINE)
    for said in map(str.strip, copied):
        if begins.match(said):
            yield Line(named(path), f"alur{begins.match(said)[1] or ''}", whole=True)


def alternatives(said: str) -> list[list[str]]:
    """The commands meant by one line: `inbox|outbox list` are two."""
    words = shlex.split(said, comments=True)[1:]
    choices = [word.split("|") if re.fullmatch(r"[a-z]+(\|[a-z]+)+", word) else [word] for word in words]
    return [list(chosen) for chosen in itertools.product(*choices)]


def fault(words: list[str], *, whole: bool) -> str:
    """What the command line has against these words; "" for nothing. Places in capitals stand for what is put there."""
    command: click.Command = main
    context = click.Context(main, info_name="alur")
    while isinstance(command, click.Group):
        if not words:
            return ""
        found = command.get_command(context, words[0])
        if found is None:
            return f"no command {words[0]}"
        command, words = found, words[1:]
        context = click.Context(command, info_name=command.name, parent=context)
    filled = ["1" if re.fullmatch(r"[A-Z]+", word) else word for word in words]
    filled += [option.opts[0] for option in command.params if getattr(option, "prompt", None)]  # what is asked back is answered
    try:
        command.make_context(command.name, filled, parent=context.parent)
    except click.MissingParameter as missing:
        return missing.format_message() if whole else ""
    except click.UsageError as wrong:
        return wrong.format_message()
    return ""


ALUR = sorted({line for path in FILES for line in lines(path)}, key=lambda line: (line.page, line.said))


def test_the_documents_name_commands() -> None:
    assert len(ALUR) > 60


@pytest.mark.parametrize("line", ALUR, ids=lambda line: f"{line.page}: {line.said}")
def test_a_command_that_is_written_down_is_one(line: Line) -> None:
    assert [said for words in alternatives(line.said) if (said := fault(words, whole=line.whole))] == []


def test_every_command_is_written_down_somewhere_for_whoever_runs_the_service() -> None:
    def leaves(command: click.Command, name: str) -> Iterator[str]:
        if isinstance(command, click.Group):
            for word, part in command.commands.items():
                yield from leaves(part, f"{name} {word}")
        else:
            yield name

    pages = "\n".join(map(read, [ROOT / "README.md", ROOT / "docs" / "portal.md", *GUIDES]))
    written = {
        " ".join(["alur", *words])
        for said in spans(pages) + "\n".join(blocks(pages)).splitlines()
        if "alur " in said
        for words in alternatives(said[said.index("alur ") :])
    }
    written.add("alur demo")  # as `make demo`, which sets everything up first
    assert [leaf for leaf in leaves(main, "alur") if not any(f"{said} ".startswith(f"{leaf} ") for said in written)] == []


@pytest.mark.parametrize("path", FILES, ids=named)
def test_every_target_of_make_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", read(ROOT / "Makefile"), flags=re.MULTILINE))
    asked = {found for said in (*spans(read(path)), *blocks(read(path))) for found in re.findall(r"^make ([a-z-]+)", said, re.MULTILINE)}
    assert asked <= targets


# --- what is typed in a comment ---


def comments(path: Path) -> Iterator[str]:
    text = read(path)
    yield from (said for said in spans(text) if said.startswith("/pos ") and "<kata>" not in said)
    yield from (block for block in blocks(text) if block.startswith("/pos "))


POS = sorted({(named(path), said) for path in PAGES for said in comments(path)})
WORDS = frozenset(outcome.word for step in PROCEDURE.steps for outcome in step.outcomes)
PAPERS = frozenset(document.slug for document in PROCEDURE.documents)
PLACES = {"<alasan>": "alasan", "<server>": "srv", "<hak>": "ssh", "<dokumen>": "surat-tugas", "<persen>": "60"}


@pytest.mark.parametrize(("page", "said"), POS)
def test_a_line_for_a_comment_is_read_as_a_command(page: str, said: str) -> None:
    for place, example in PLACES.items():
        said = said.replace(place, example)
    asked = commands.read(said, WORDS, PAPERS, PROCEDURE.handoffs)
    if isinstance(asked, commands.Malformed):  # without its arguments it only names the command; an upload is put in by hand
        assert len(said.split()) == 2 or asked.problem == "upload", (page, asked)
    else:
        assert not isinstance(asked, commands.Unknown | commands.NotACommand | commands.Misplaced), (page, asked)


# --- the steps of a role ---


def rows(text: str) -> Iterator[tuple[int, str, str]]:
    """The lines of tables that begin with a step: its number, its name, and the line."""
    for found in re.finditer(r"^\| (?:sebelum )?(\d\d?) ([^|,]+?)(?:,[^|]*)? \|.*$", text, flags=re.MULTILINE):
        yield int(found[1]), found[2], found[0]


@pytest.mark.parametrize("path", GUIDES, ids=named)
def test_steps_are_called_and_left_as_the_procedure_says(path: Path) -> None:
    others = COMMANDS | QUESTIONS | {PROCEDURE.duty.word if PROCEDURE.duty else ""}
    for number, name, line in rows(read(path)):
        step = PROCEDURE.step(number)
        assert name == step.name
        typed = {said.split()[1] for said in spans(line) if said.startswith("/pos ")}
        assert typed <= {outcome.word for outcome in step.outcomes} | others, line


@pytest.mark.parametrize("role", ROLES)
def test_a_guide_tells_every_step_of_its_role_with_every_way_to_leave_it(role: str) -> None:
    told: dict[int, str] = {}
    for number, _, line in rows(read(ROOT / "docs" / "panduan" / f"{role}.md")):
        told[number] = told.get(number, "") + line
    own = [step for step in PROCEDURE.steps if step.performer in ROLES[role]]
    assert [step.label_text for step in own if step.number not in told] == []
    duty = PROCEDURE.duty
    for step in own:
        words = {duty.word} if duty and duty.step == step.number else {outcome.word for outcome in step.outcomes}
        if step.number != 22:  # said to be as step 21
            assert [word for word in words if f"/pos {word}" not in told[step.number]] == [], step.label_text


# --- settings, labels, links ---


@pytest.mark.parametrize("path", FILES, ids=named)
def test_every_setting_that_is_named_exists(path: Path) -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    said = {found for found in re.findall(r"\bALUR_[A-Z0-9_]*[A-Z0-9]\b", read(path)) if not NO_SETTING.fullmatch(found)}
    assert said - known == set()


def test_every_setting_is_named_for_whoever_sets_it() -> None:
    example = read(ROOT / "deploy" / "alur.env.example")
    assert [name for name in Settings.model_fields if f"{PREFIX}{name.upper()}=" not in example] == []


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_every_label_that_is_named_exists(path: Path) -> None:
    known = {label.name for label in all_labels([PROCEDURE])}
    said = {found for found in spans(read(path)) if re.fullmatch(r"(pos|langkah|peran|status|prioritas)::[^.<]*[^.<:*]", found)}
    assert said - known == set()


def anchors(text: str) -> set[str]:
    """The names GitLab and GitHub give the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_every_link_leads_somewhere(path: Path) -> None:
    bare = re.sub(r"```.*?```|`[^`]*`", "", read(path), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", bare):
        if re.match(r"[a-z]+:", target):
            continue
        place, _, anchor = target.partition("#")
        file = (path.parent / place).resolve() if place else path
        assert file.exists(), target
        assert not anchor or anchor in anchors(read(file)), target


# --- files and names of the code ---


FOLDERS = "integration|webhooks|sync|sandbox|templates|tests|deploy|docs"


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_every_file_and_every_name_of_the_code_exists(path: Path) -> None:
    for said in spans(read(path)):
        if re.fullmatch(rf"({FOLDERS})/[\w./-]*", said):
            assert (ROOT / said).exists(), said
        elif re.fullmatch(rf"({FOLDERS})(\.\w+)+(\(.*\))?", said) and not (ROOT / said).exists():
            assert known(said.partition("(")[0]), said


def test_every_class_the_developers_read_of_exists() -> None:
    source = "\n".join(read(path) for folder in ("integration", "sync", "webhooks") for path in sorted((ROOT / folder).rglob("*.py")))
    said = {found for found in spans(read(ROOT / "docs" / "developers.md")) if re.fullmatch(r"([A-Z][a-z]+){2,}", found)}
    assert len(said) > 4
    assert [name for name in said if f"class {name}" not in source] == []


def known(name: str) -> bool:
    """Whether `package.module.attribute` is something."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found: ModuleType | object = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            if not hasattr(found, part):
                return part in getattr(found, "__dataclass_fields__", ())
            found = getattr(found, part)
        return True
    return False


def test_every_figure_that_is_named_is_told() -> None:
    source = "\n".join(read(path) for folder in ("webhooks", "integration") for path in sorted((ROOT / folder).rglob("*.py")))
    said = {found for path in PAGES[:1] + GUIDES for found in re.findall(r"\balur_[a-z_]+[a-z]", read(path))}
    assert [name for name in said if name.removeprefix("alur_").removesuffix("_total") not in source] == []
