"""Every sentence of the service, from `templates/`: notes, the description, mail, reports and papers share this one environment.

A value is made harmless unless a filter of this module has already done so: a template that forgets a filter shows a backslash too many,
never an order too many.
"""

import re
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from urllib.parse import quote

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.bccache import Bucket
from jinja2.runtime import LoopContext

from integration import neutral
from integration.faults import Failure, Permanent
from integration.procedure.offices import Organisation
from integration.templates import TEMPLATES, messages
from sync import paper, spelled

LOCALE = "id"
ACCOUNT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
ITEM = re.compile(r"\d+\.\d+")
UPLOAD = re.compile(
    r"\[[\w .\\-]*\]\((?:/uploads/[0-9a-f]{32}/[\w.+-]+|https?://[\w.:\[\]/-]+/layanan/pengaduan/[A-Z0-9-]+/lampiran/[0-9a-f]{64})\)"
)
PLACE = re.compile(r"<[^<>]+>|@(?:pj|anggota|orang)(?![\w.-])|\d{4}-\d\d-\d\d$")


class Harmless(str):
    """Text that may be put into a template as it is."""

    __slots__ = ()


class Compiled(BytecodeCache):
    """Templates compiled in this process: another organisation file does not change them."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """See jinja2: what was compiled from another text is not taken."""
        if code := self._code.get(bucket.key):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """See jinja2."""
        self._code[bucket.key] = bucket.bytecode_to_string()


@dataclass(frozen=True, slots=True)
class Medium:
    """Where text is read, and what makes a stranger's words harmless there: in one line, and in paragraphs."""

    line: Callable[[str], str]
    prose: Callable[[str], str]
    zone: str = ""  # how a time says its zone: a paper is read anywhere and for long
    compiled: Compiled = field(default_factory=Compiled)


PLATFORM = Medium(neutral.inline, neutral.paragraphs)
PAPER = Medium(paper.line, paper.prose, zone=" z")
PLAIN = Medium(lambda text: " ".join(neutral.clean(text).split()), neutral.clean)


class Wording:
    """What the service says in the name of one organisation: its time zone counts, its people can be mentioned, nobody else."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation
        accounts = [office.account for office in organisation.offices] + [person.account for person in organisation.programmers]
        self._mentionable = frozenset(account for account in accounts if ACCOUNT.fullmatch(account))
        on_platform, on_paper, in_mail = (self._environment(medium) for medium in (PLATFORM, PAPER, PLAIN))
        self._environments = {
            "notes": on_platform,
            "description": on_platform,
            "documents": on_paper,
            "reports": on_paper,
            "wiki": on_platform,
            "mail": in_mail,
            "privacy": in_mail,
        }

    def render(self, template: str, **context: object) -> str:
        """The words of `templates/<template>`. Raises Permanent where it cannot be read, or uses a name the context lacks."""
        folder = template.split("/", maxsplit=1)[0]
        try:
            return self._environments[folder].get_template(template).render(context).strip() + "\n"
        except TemplateError as fault:
            raise Permanent(f"{_place(fault) or template}: {type(fault).__name__}: {fault}", Failure.TEMPLATE) from fault

    def note(self, template: str, context: Mapping[str, object], key: str) -> str:
        """The body of the note `templates/notes/<template>.md`, with the marker it is found by."""
        return f"{self.render(f'notes/{template}.md', **context)}\n{marker(key)}"

    def broken(self) -> list[str]:
        """The templates that cannot be read, with the place; empty where all can."""
        faults = []
        for folder, environment in self._environments.items():
            for path in sorted((TEMPLATES / folder).glob("*.md")):
                try:
                    environment.get_template(f"{folder}/{path.name}")
                except TemplateSyntaxError as fault:
                    faults.append(f"{folder}/{path.name}:{fault.lineno}: {fault.message}")
        return faults

    def _environment(self, medium: Medium) -> Environment:
        def harmless(value: object) -> str:
            return value if isinstance(value, Harmless) else medium.line("" if value is None else str(value))

        environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            bytecode_cache=medium.compiled,
            undefined=StrictUndefined,
            finalize=harmless,
            trim_blocks=True,
            lstrip_blocks=True,
            autoescape=False,  # noqa: S701 -- HTML escaping is not enough for Markdown: `finalize` escapes for the medium instead
        )
        environment.filters |= {
            "baris": lambda text: Harmless(medium.line(str(text))),
            "titik": lambda text: Harmless(f"{medium.line(str(text)).removesuffix('.')}."),
            "permintaan": _request,
            "teks": lambda text: Harmless(medium.prose(str(text))),
            "naskah": lambda text: Harmless(medium.line(str(text)).replace("\\*", "*")),
            "blok": lambda text: Harmless(neutral.block(str(text))),
            "kode": _code,
            "kutip": lambda text: Harmless("\n".join(f"> {line}".rstrip() for line in medium.prose(str(text)).split("\n"))),
            "butir": _item,
            "perintah": _command,
            "isian": lambda line: list(dict.fromkeys(PLACE.findall(str(line)))),
            "per_pelengkap": _by_supplier,
            "peran": lambda slugs, procedure: [procedure.role(slug).name for slug in slugs],
            "tautan": lambda link: Harmless(link) if UPLOAD.fullmatch(str(link)) else medium.line(str(link)),
            "sebut": self._mention,
            "angka": lambda number: Harmless(number_text(number)),
            "tanggal": self._date("EEEE, d MMMM y"),
            "tanggal_singkat": self._date("d MMM y"),
            "tanggal_terbilang": lambda moment: Harmless(spelled.day(moment.astimezone(self._organisation.calendar.tz).date())),
            "tanggal_waktu": self._date(f"EEEE, d MMMM y 'pukul' HH.mm{medium.zone}"),
            "pekan": _week,
        }
        environment.globals |= {"pesan": _sentence, "cara": _usage, "sambung": _joint, "ganti_baris": Harmless(paper.BREAK)}
        return environment

    def _mention(self, account: object) -> Harmless:
        """`@account` for somebody of the organisation, which calls them; for anybody else the name alone, which calls nobody."""
        name = str(account)
        return Harmless(f"@{name}" if name in self._mentionable else neutral.inline(name))

    def _date(self, pattern: str) -> Callable[[date | str], Harmless]:
        def written(moment: date | str) -> Harmless:
            value = _moment(moment) if isinstance(moment, str) else moment
            if not isinstance(value, datetime):
                return Harmless(format_date(value, pattern, locale=LOCALE))
            return Harmless(format_datetime(value, pattern, tzinfo=self._organisation.calendar.tz, locale=LOCALE))

        return written


def _place(fault: TemplateError) -> str:
    """The template and its line, "notes/cek.md:3": jinja2 puts both into the traceback; "" for a template that was not begun."""
    frames = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(fault.__traceback__)]
    places = [f"{path.relative_to(TEMPLATES)}:{line}" for path, line in frames if path.is_relative_to(TEMPLATES)]
    return places[-1] if places else ""


def long_date(day: date) -> str:
    """A day as documents date themselves: "2 Juni 2026"."""
    return format_date(day, "d MMMM y", locale=LOCALE)


def number_text(number: float) -> str:
    """A figure as it is read, with one decimal at most: "1.234,5"."""
    return format_decimal(round(number, 1), "#,##0.#", locale=LOCALE)


def marker(key: str) -> str:
    """The comment, invisible to people, by which a note with this key is found again."""
    return f"<!-- alur:{quote(key, safe=':')} -->"


def _item(number: object) -> Harmless:
    """The number of a kelengkapan item, "20.5": by it a tick is told from GitLab's own note about it."""
    if not ITEM.fullmatch(str(number)):
        raise ValueError(f"not the number of an item: {number!r}")
    return Harmless(number)


def _code(text: object) -> Harmless:
    """One line as a code span, where nothing is read but backticks."""
    return Harmless(f"`{' '.join(neutral.clean(str(text)).split()).replace('`', chr(39))}`")


def _sentence(name: str, key: str, **lists: Iterable[str]) -> Harmless:
    """A sentence of `messages/<name>.yaml`; `lists`: names for its places, joined as alternatives."""
    sentence = messages(name)[key]
    return Harmless(sentence.format(**{place: _either(names) for place, names in lists.items()}) if lists else sentence)


def _request(asked: object, *, portal: bool = False) -> Harmless:
    """What somebody asked for: a word they typed (`portal`: chose there), or an act of another kind, "label:7"."""
    act, _, what = str(asked).partition(":")
    acts = messages("acts")
    if act in acts:
        return Harmless(acts[act].format(what=what if ITEM.fullmatch(what) else neutral.inline(what)))
    return Harmless(acts["answer"].format(what=_code(act)) if portal else acts["word"].format(what=_code(f"/pos {act}")))


def _week(name: object) -> Harmless:
    """An ISO week as papers name it, "2026-W24": week 24 of 2026."""
    year, _, number = str(name).partition("-W")
    return Harmless(messages("report")["week"].format(number=int(number), year=int(year)))


def _usage(word: object) -> Harmless:
    """How a command is typed and what it does; its word alone where this procedure has given it another name."""
    known = messages("usage").get(str(word))
    return _code(f"/pos {word}") if known is None else Harmless(known)


def _joint(loop: LoopContext, word: str) -> Harmless:
    """What stands between an item of a list in a sentence and the next: "A atau B", "A, B, dan C"."""
    if loop.last:
        return Harmless("")
    if loop.revindex0 > 1:
        return Harmless(", ")
    return Harmless(f", {word} " if loop.index0 else f" {word} ")


def _either(names: Iterable[str]) -> str:
    """Names as alternatives, made harmless: "A atau B", "A, B, atau C"."""
    *others, last = [neutral.inline(name) for name in names] or [""]
    return last if not others else f"{', '.join(others)}{',' if others[1:] else ''} atau {last}"


def _by_supplier(missing: Iterable[Mapping[str, Sequence[str]]]) -> list[tuple[tuple[str, ...], list[Mapping[str, Sequence[str]]]]]:
    """What is missing, under those who can supply it, both in the order of the items: they are named once and not at every item."""
    groups: dict[tuple[str, ...], list[Mapping[str, Sequence[str]]]] = {}
    for item in missing:
        groups.setdefault(tuple(item["suppliers"]), []).append(item)
    return list(groups.items())


def _command(line: object, headings: Iterable[str] = ()) -> Harmless:
    """A line to type and the headings to write below it, as a block to copy: shown, never executed."""
    return Harmless(neutral.block("\n\n".join([str(line), *(f"### {heading}" for heading in headings)])))


def _moment(text: str) -> date:
    """A date or a moment from its ISO form."""
    return date.fromisoformat(text) if len(text) == len("2026-06-02") else datetime.fromisoformat(text)
