"""What a `/pos` comment asks for: a comment's text in, a typed command out; pure.

Only the first line of a comment is a command, and only there: quoted lines, code and later lines never act. Nothing is looked up here;
whether the person may, and whether the step allows it, is decided by the core (contract.md, "On the platform").
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from difflib import get_close_matches
from types import MappingProxyType

from integration.neutral import clean, inline

Sections = tuple[tuple[str, str], ...]  # (title as written, text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A comment that begins with `/pos`. `extra`: a further `/pos` line stands below, so that nobody can say which was meant."""

    extra: bool = False


@dataclass(frozen=True, slots=True)
class Outcome(Asked):
    """`/pos <kata> [alasan]`: leave the step by this word."""

    word: str
    reason: str
    sections: Sections


@dataclass(frozen=True, slots=True)
class Assign(Asked):
    """`/pos tugaskan @pj @anggota ...`: the first one is in charge; without the @."""

    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Progress(Asked):
    """`/pos progres 60`: a weekly report; `percent` None where the first line says none."""

    percent: int | None
    sections: Sections


@dataclass(frozen=True, slots=True)
class Grant(Asked):
    """`/pos akses @orang <server> <hak> sampai 2026-12-31`."""

    account: str
    server: str
    right: str
    until: date


@dataclass(frozen=True, slots=True)
class Revoke(Asked):
    """`/pos cabut-akses @orang <server>`."""

    account: str
    server: str


@dataclass(frozen=True, slots=True)
class Attach(Asked):
    """`/pos lampir <dokumen>` with uploads; `uploads` are Markdown links made anew from the files' own names.

    `signer`: the words behind `oleh`, joined by hyphens; "" where that word does not follow the document's name.
    """

    document: str
    uploads: tuple[str, ...]
    signer: str = ""


@dataclass(frozen=True, slots=True)
class Pause(Asked):
    """`/pos jeda <alasan>`."""

    reason: str


@dataclass(frozen=True, slots=True)
class Resume(Asked):
    """`/pos lanjut`."""


@dataclass(frozen=True, slots=True)
class HandOff(Asked):
    """`/pos alihkan <pos> <alasan>`; `target` is one of the names given to `read`."""

    target: str
    reason: str


@dataclass(frozen=True, slots=True)
class Emergency(Asked):
    """`/pos darurat <alasan>`."""

    reason: str


@dataclass(frozen=True, slots=True)
class Withdraw(Asked):
    """`/pos batal <alasan>`: the unit's to say, in the portal; whoever types it is told so."""

    reason: str


@dataclass(frozen=True, slots=True)
class Check(Asked):
    """`/pos cek`."""


@dataclass(frozen=True, slots=True)
class Help(Asked):
    """`/pos bantuan`, or `/pos` alone."""


@dataclass(frozen=True, slots=True)
class Unknown(Asked):
    """No such word; `nearest` is the one most likely meant, where there is one."""

    word: str
    nearest: str | None


@dataclass(frozen=True, slots=True)
class Malformed(Asked):
    """A known word whose arguments cannot be read.

    `problem`: account, server, right, until, percent, document, upload, target or length. `usage`: the key of the usage line to show.
    """

    word: str
    problem: str
    usage: str


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A command that does not stand on the first line: it may be meant, or only spoken of."""


@dataclass(frozen=True, slots=True)
class NotACommand:
    """An ordinary comment."""


Command = Outcome | Assign | Progress | Grant | Revoke | Attach | Pause | Resume | HandOff | Emergency | Withdraw | Check | Help
Reading = Command | Unknown | Malformed | Misplaced | NotACommand

_LINE = re.compile(r" {0,3}/ ?pos[:,]?(?:\s+(?P<rest>.*))?", re.IGNORECASE)
_HEADING = re.compile(r" {0,3}(?:#{1,6}\s+|#{2,6}(?=[^\W\d]))(?P<title>[^\s#].*)")  # "###Judul" is forgiven; "#12" is none
_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})")
_ENCLOSING = re.compile(r" {0,3}(?:>>>|<)")  # a long quotation, HTML or a comment in it: what is inside is only spoken of
_UPLOAD = re.compile(r"!?\[[^\[\]\n]*\]\((?P<path>/uploads/[0-9a-f]{32}/(?P<name>[\w.+-]+))\)")
_ACCOUNT = re.compile(r"@(?P<name>[A-Za-z0-9_][A-Za-z0-9_.-]*)")
_ISO_DATE = re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})")
_LOCAL_DATE = re.compile(r"(?P<day>\d{1,2})[\s/.-]+(?P<month>\d{1,2}|[a-z]+)[\s/.-]+(?P<year>\d{4})")
_MONTHS = ("januari", "februari", "maret", "april", "mei", "juni", "juli", "agustus", "september", "oktober", "november", "desember")
_MONTH = MappingProxyType(
    {name: at for at, name in enumerate(_MONTHS, 1)}
    | {name[:3]: at for at, name in enumerate(_MONTHS, 1)}
    | {"agt": 8, "ags": 8, "nop": 11, "nopember": 11, "peb": 2, "pebruari": 2}
    | {f"{at:{width}}": at for at in range(1, 13) for width in ("d", "02d")}
)
_DASHES = str.maketrans("_–—", "---")  # noqa: RUF001 - what phones make of a hyphen
_AND = frozenset({"dan", "serta", "&", ""})
_UNTIL = frozenset({"sampai", "hingga", "s.d", "s/d", "sd"})
_FILLERS = frozenset({"dengan", "tanggal"})
_TRAILING = ".,:;!"
_PLACES = frozenset({"<alasan>", "<pos>", "<dokumen>", "<server>", "<hak>", "<persen>"})
"""What a line to copy leaves open: copied as it is, it says nothing. `@orang` is a place where somebody is to be named."""
_FULL = 100  # per cent
_LONGEST_WORD = 40  # of an unknown word, that is told back
LONGEST = 5_000  # characters of a reason, as the portal's: it is said on the issue, which holds a megabyte in all
LONGEST_SECTIONS = 20_000  # of all texts below headings, as the form's: papers are drawn from them
TOO_LONG = "terlalu-panjang"
"""The usage shown to somebody whose command says more than that."""


@dataclass(frozen=True, slots=True)
class _Below:
    """What stands below the first line: text up to the first heading, sections, uploaded files, whether there was a further command."""

    text: str
    sections: Sections
    uploads: tuple[str, ...]
    extra: bool


@dataclass(frozen=True, slots=True)
class _Said:
    """A command before its arguments are read; `rest` is what follows the word on the first line."""

    word: str
    rest: str
    below: _Below
    documents: frozenset[str]
    handoffs: tuple[str, ...]

    def reason(self, rest: str | None = None) -> str:
        """What is left of the first line, and the text below it; "" where there is no word in it."""
        text = "\n".join(part for part in (self.rest if rest is None else rest, self.below.text) if part)
        return text if any(char.isalnum() for char in text) else ""

    def remark(self, rest: str | None = None) -> str:
        """All that was written, also below headings, of which such a command has none of its own."""
        below = (f"{title}\n{text}".strip() for title, text in self.below.sections)
        return "\n".join(part for part in (self.reason(rest), *below) if part)

    def malformed(self, problem: str) -> Malformed:
        return Malformed(self.word, problem, self.word)


_Parser = Callable[[_Said], Command | Malformed]


def read(
    body: str,
    outcome_words: frozenset[str],
    documents: frozenset[str],
    handoffs: tuple[str, ...] = (),
    duty_word: str | None = "progres",
) -> Reading:
    """What this comment asks for.

    `outcome_words`: of the current procedure; `documents`: slugs people may attach; `handoffs`: names of the procedures a case can be
    handed to, numbered from 1 in this order; `duty_word`: the recurring report's. Case, spacing and blank lines before are forgiven.
    """
    lines = clean(body).split("\n")
    start = next((at for at, line in enumerate(lines) if line.strip()), 0)
    line = _LINE.fullmatch(lines[start])
    if line is None:
        enclosed = any(_ENCLOSING.match(line) for line in lines)
        return Misplaced() if not enclosed and _below(lines[start:], "").extra else NotACommand()
    parsers: dict[str, _Parser] = {**dict.fromkeys(outcome_words, _outcome), **({duty_word: _progress} if duty_word else {}), **_PARSERS}
    below = _below(lines[start + 1 :], line["rest"] or "")
    word, rest = _word(line["rest"] or "", parsers)
    if not word:
        return Help(extra=below.extra)
    if word not in parsers:
        return Unknown(word, next(iter(get_close_matches(word, sorted(parsers), n=1)), None), extra=below.extra)
    asked = parsers[word](_Said(word, rest, below, documents, handoffs))
    return replace(Malformed(word, "length", TOO_LONG) if _too_long(asked) else asked, extra=below.extra)


def _too_long(asked: Asked) -> bool:
    """Whether a command says more than the issue or a paper can say back; uploads are only linked."""
    said = {field.name: getattr(asked, field.name) for field in fields(asked) if field.name != "uploads"}
    titles, texts = zip(*said.pop("sections", ()), strict=True) if said.get("sections") else ((), ())
    words = ["".join(value) for value in said.values() if isinstance(value, str | tuple)]
    return len("".join([*words, *titles])) > LONGEST or len("".join(texts)) > LONGEST_SECTIONS


def _word(said: str, known: Mapping[str, object]) -> tuple[str, str]:
    """The command word and what follows it; "cabut akses" and "perlu_perbaikan" are read with the hyphen they lack."""
    tokens = [token for token in said.split() if token.replace("\\", "").strip(_TRAILING) not in _PLACES]
    for count in (1, 2):
        word = "-".join(tokens[:count]).casefold().translate(_DASHES).strip(_TRAILING)
        if word in known:
            return word, " ".join(tokens[count:])
    return (tokens[0].casefold().strip(_TRAILING)[:_LONGEST_WORD], " ".join(tokens[1:])) if tokens else ("", "")


def _below(lines: Sequence[str], first: str) -> _Below:
    texts: list[list[str]] = [[]]
    titles: list[str] = []
    plain = [first]  # lines outside code
    fence, extra = "", False
    for line in lines:
        opening = _FENCE.match(line)
        if fence:
            fence = "" if line.strip() and set(line.strip()) == {fence[0]} and len(line.strip()) >= len(fence) else fence
        elif opening:
            fence = opening["fence"]
        elif _LINE.fullmatch(line):
            extra = True
            continue
        elif heading := _HEADING.fullmatch(line):
            titles.append(_title(heading["title"]))
            texts.append([])
            continue
        else:
            plain.append(line)
        texts[-1].append(line)
    text, *bodies = ("\n".join(part).strip() for part in texts)
    uploads = (f"[{inline(found['name'])}]({found['path']})" for found in _UPLOAD.finditer("\n".join(plain)))
    return _Below(text, tuple(zip(titles, bodies, strict=True)), tuple(dict.fromkeys(uploads)), extra)


def _title(heading: str) -> str:
    """A heading's words: without the closing marks, emphasis or colon some people write."""
    words = heading.rstrip()
    bare = words.rstrip("#")
    return (bare if bare.endswith((" ", "\t")) else words).strip(" \t*_:")


def _outcome(said: _Said) -> Outcome:
    return Outcome(said.word, said.reason(), said.below.sections)


def _progress(said: _Said) -> Progress | Malformed:
    if not said.rest:
        return Progress(None, said.below.sections)
    number = re.match(r"(\d{1,3})\s*(?:%|persen\b)?(?!\S)", said.rest.rstrip(_TRAILING), re.IGNORECASE | re.ASCII)
    percent = int(number[1]) if number else _FULL + 1
    return Progress(percent, said.below.sections) if percent <= _FULL else said.malformed("percent")


def _assign(said: _Said) -> Assign | Malformed:
    accounts: dict[str, str] = {}  # GitLab's names are the same in any case
    for token in re.split(r"[\s,;]+", said.rest):
        if token.casefold() not in _AND:
            account = _account(token)
            if not account:
                return said.malformed("account")
            accounts.setdefault(account.casefold(), account)
    return Assign(tuple(accounts.values())) if accounts else said.malformed("account")


def _grant(said: _Said) -> Grant | Malformed:
    tokens = said.rest.split()
    at = next((at for at, token in enumerate(tokens) if token.casefold().strip(_TRAILING) in _UNTIL), len(tokens))
    account, server = _whom_and_where(tokens[:at])
    right = " ".join(tokens[2:at]).strip(_TRAILING)
    until = _date(" ".join(token for token in tokens[at + 1 :] if token.casefold() not in _FILLERS))
    if not account:
        return said.malformed("account")
    if not server:
        return said.malformed("server")
    if not right:
        return said.malformed("right")
    return Grant(account, server, right, until) if until else said.malformed("until")


def _revoke(said: _Said) -> Revoke | Malformed:
    account, server = _whom_and_where(said.rest.split())
    if not account:
        return said.malformed("account")
    return Revoke(account, server) if server else said.malformed("server")


def _whom_and_where(tokens: Sequence[str]) -> tuple[str, str]:
    """The account and the server's name that begin these words; "" for what is not there."""
    account, server = (*tokens[:2], "", "")[:2]
    return "" if account == "@orang" else _account(account), server.strip(_TRAILING)


def _account(token: str) -> str:
    r"""The account's name in "@name"; "" where the word is none. The rich text editor writes `\_` for an underscore."""
    found = _ACCOUNT.fullmatch(token.replace("\\", "").rstrip(f"{_TRAILING})"))
    return found["name"] if found else ""


def _date(text: str) -> date | None:
    """2026-12-31, 31-12-2026, 31/12/2026, 31 Desember 2026 or 31 Des 2026; None for anything else."""
    words = text.casefold().strip(f"{_TRAILING} ")
    found = _ISO_DATE.fullmatch(words) or _LOCAL_DATE.fullmatch(words)
    month = _MONTH.get(found["month"]) if found else None
    if not found or not month:
        return None
    try:
        return date(int(found["year"]), month, int(found["day"]))
    except ValueError:  # 31 February
        return None


def _attach(said: _Said) -> Attach | Malformed:
    """The document is the longest slug the words begin with, so that its title may be written out and a remark may follow."""
    words = re.sub(r"[^a-z0-9]+", "-", _UPLOAD.sub("", said.rest).casefold()).strip("-")
    document = max((slug for slug in said.documents if f"{words}-".startswith(f"{slug}-")), key=len, default="")
    if not document:
        return said.malformed("document")
    signer = re.fullmatch(r"-oleh-(.+)", words.removeprefix(document))
    return Attach(document, said.below.uploads, signer[1] if signer else "") if said.below.uploads else said.malformed("upload")


def _hand_off(said: _Said) -> HandOff | Malformed:
    """The target: its number, the longest of the names that the words begin with, or a name shortened so that only one begins so."""
    tokens = said.rest.split()
    words = [(end, word) for end, token in enumerate(tokens, 1) if (word := _bare(token))]
    found = _numbered(words, said.handoffs) or [
        (words[len(wanted) - 1][0], name)
        for name in said.handoffs
        for wanted in _spellings(name)
        if wanted == [word for _, word in words[: len(wanted)]]
    ]
    if not found:
        found = _shortened(tokens, said.handoffs)
    if not found:
        return said.malformed("target")
    end, target = max(found)
    return HandOff(target, said.remark(" ".join(tokens[end:]).lstrip(f"{_TRAILING}-–— ")))  # noqa: RUF001 - dashes people write


def _numbered(words: Sequence[tuple[int, str]], names: Sequence[str]) -> list[tuple[int, str]]:
    number = int(words[0][1]) if words and re.fullmatch(r"[0-9]{1,3}", words[0][1]) else 0
    return [(words[0][0], names[number - 1])] if 1 <= number <= len(names) else []


def _shortened(tokens: Sequence[str], names: Sequence[str]) -> list[tuple[int, str]]:
    """The one name that begins with what is written up to a colon, a dash or the end of the line.

    Only so it is sure which words are the name's and which the reason's: a case that was handed off does not come back.
    """
    end = next((at for at, token in enumerate(tokens, 1) if token.endswith((":", ";")) or not _bare(token)), len(tokens))
    wanted = [word for token in tokens[:end] if (word := _bare(token))]
    found = {name for name in names for spelling in _spellings(name) if wanted and spelling[: len(wanted)] == wanted}
    return [(end, found.pop())] if len(found) == 1 else []


def _bare(token: str) -> str:
    """A word without case, emphasis and punctuation; "" for a dash."""
    return re.sub(r"[\W_]+", "", token.casefold())


def _spellings(name: str) -> tuple[list[str], ...]:
    """The words of a procedure's name, with and without the "POS" in front."""
    words = [word for token in name.split() if (word := _bare(token))]
    return (words, words[1:]) if words[:1] == ["pos"] and len(words) > 1 else (words,)


_PARSERS: Mapping[str, _Parser] = MappingProxyType(
    {
        "tugaskan": _assign,
        "akses": _grant,
        "cabut-akses": _revoke,
        "lampir": _attach,
        "jeda": lambda said: Pause(said.remark()),
        "lanjut": lambda _: Resume(),
        "alihkan": _hand_off,
        "darurat": lambda said: Emergency(said.remark()),
        "batal": lambda said: Withdraw(said.remark()),
        "cek": lambda _: Check(),
        "bantuan": lambda _: Help(),
    }
)
