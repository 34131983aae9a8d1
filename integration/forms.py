"""What the portal sends: the forms and answers of contract.md, "Portal -> service"; bytes in, a typed message or every fault out; pure.

The models are the contract: a key it does not name is refused, nothing is converted, and no fault is told in any language but the
template's. Text is kept as a person sees it: without control and zero-width characters, with one kind of line break.
"""

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, NoReturn, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, ValidationInfo
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from integration.neutral import clean
from integration.templates import messages

MAX_FILE = 100 * 1024 * 1024  # bytes; GitLab's own limit for an upload (behaviour.md 4)
MAX_FILES = 20
LONGEST_KEY = 80  # of an unknown name that is told back

_DOMAIN = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~-]+)*@{_DOMAIN}(?:\.{_DOMAIN})+")
_NIP = re.compile(r"[0-9]{18}")
_PHONE = re.compile(r"(?=(?:\D*[0-9]){5})\+?[0-9 ()./-]{5,30}")
_TICKET = re.compile(r"[A-Z][A-Z0-9]*-[0-9]{4}-[0-9]{6}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SUBTYPE = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*"
_MEDIA_TYPE = re.compile(rf"{_SUBTYPE}/{_SUBTYPE}(?:\s*;\s*[A-Za-z0-9-]+=[^\s;]+)*")
_TIMESTAMP = re.compile(r"(?:19|20)\d{2}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})", re.IGNORECASE | re.ASCII)


def _wrong(code: str) -> NoReturn:
    """Refuse a value: `code` is a key of templates/messages/form.yaml."""
    raise PydanticCustomError("form", "{code}", {"code": code})


def _line(value: object) -> object:
    """One line of text: runs of spaces and line breaks are one space."""
    return " ".join(clean(value).split()) if isinstance(value, str) else value


def _prose(value: object) -> object:
    return clean(value).strip() if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _whole(value: object) -> object:
    """JSON knows one kind of number: 12.0 is the integer 12."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _absent(default: object) -> BeforeValidator:
    """A null means the same as nothing."""
    return BeforeValidator(lambda value: default if value is None else value)


def _shaped(code: str, pattern: re.Pattern[str]) -> AfterValidator:
    def check(text: str) -> str:
        return text if pattern.fullmatch(text) else _wrong(code)

    return AfterValidator(check)


def _timestamp(text: str) -> str:
    if not _TIMESTAMP.fullmatch(text):
        _wrong("timestamp")
    try:
        moment(text)
    except ValueError:  # 30 February, 25 o'clock
        _wrong("timestamp")
    return text


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        known = parts.scheme in {"http", "https"} and parts.hostname and not parts.username and not parts.password and parts.port != 0
    except ValueError:  # a port or an IPv6 address that is none
        known = False
    return text if known and not re.search(r"\s", text) else _wrong("address")


def moment(timestamp: str) -> datetime:
    """The time an RFC 3339 timestamp of a message says, aware."""
    return datetime.fromisoformat(timestamp.upper())


_OF_OUR_TIME: JsonDict = {"format": "date-time", "description": "RFC 3339, of the years 1900 to 2099"}
_OF_A_PHONE: JsonDict = {
    "format": "phone",
    "description": "5 to 30 characters: digits, at least five, spaces, + in front, and any of ( ) . / -",
}

Code = Annotated[str, Field(min_length=1, max_length=40), BeforeValidator(_line)]
Name = Annotated[str, Field(min_length=1, max_length=200), BeforeValidator(_line)]
Prose = Annotated[str, Field(min_length=1, max_length=20_000), BeforeValidator(_prose)]
Reason = Annotated[str, Field(min_length=1, max_length=5_000), BeforeValidator(_prose)]
Email = Annotated[str, Field(max_length=254, json_schema_extra={"format": "email"}), BeforeValidator(_line), _shaped("email", _EMAIL)]
Nip = Annotated[str, Field(json_schema_extra={"pattern": "^[0-9]{18}$"}), BeforeValidator(_line), _shaped("nip", _NIP)]
Phone = Annotated[str, Field(max_length=30, json_schema_extra=_OF_A_PHONE), BeforeValidator(_line), _shaped("phone", _PHONE)]
Address = Annotated[
    str,
    Field(max_length=2048, json_schema_extra={"format": "uri", "description": "http or https"}),
    BeforeValidator(_line),
    AfterValidator(_address),
]
Timestamp = Annotated[str, Field(json_schema_extra=_OF_OUR_TIME), AfterValidator(_timestamp)]
Ticket = Annotated[str, Field(json_schema_extra={"pattern": f"^{_TICKET.pattern}$"}), _shaped("ticket", _TICKET)]


class _Part(BaseModel):
    """What every part of a message has in common."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Head(_Part):
    nama: Name
    nip: Nip | None = None
    jabatan: Name
    email: Email


class Unit(_Part):
    kode: Code
    nama: Name
    pimpinan: Head


class Reporter(_Part):
    nama: Name
    email: Email
    telepon: Phone | None = None


class System(_Part):
    nama: Name
    url: Address | None = None


class Problem(_Part):
    judul: Name
    kategori: Literal["galat", "akses", "kinerja", "data", "keamanan", "lainnya"]
    uraian: Prose
    langkah_reproduksi: Prose | None = None
    sejak: Timestamp
    urgensi: Literal["rendah", "sedang", "tinggi", "kritis"]
    dampak: Literal["perorangan", "unit", "fakultas", "universitas"]


_PROGRAMS = "apk app bat cmd com cpl dll docm dotm exe hta jar js jse lnk msi msp pif pptm ps1 reg scr sh sys vb vbe vbs wsf xlsb xlsm"
_ARCHIVES = "7z ace arj bz2 cab dmg gz img iso lz lzma rar rpm tar tgz xz z zip zst"
NOT_TAKEN = frozenset(f"{_PROGRAMS} {_ARCHIVES}".split())
"""What the names of programs and archives end in: nobody at the office opens those."""


def _file_name(name: str) -> str:
    if name in {".", ".."} or re.search(r"[/\\]", name):
        _wrong("file_name")
    return _wrong("file_kind") if name.rpartition(".")[2].casefold().rstrip(" .") in NOT_TAKEN and "." in name else name


def _content(isi: str, known: ValidationInfo) -> str:
    """The Base64 of a file that has the size and the hash told with it."""
    try:
        content = base64.b64decode(isi, validate=True)
    except ValueError:
        _wrong("base64")
    if len(content) != known.data.get("ukuran", len(content)):
        _wrong("size_differs")
    if (told := known.data.get("sha256")) and hashlib.sha256(content).hexdigest() != told:
        _wrong("hash_differs")
    return isi


def _somewhere(url: str | None, known: ValidationInfo) -> str | None:
    """An attachment is here or at an address."""
    return _wrong("no_content") if url is None and known.data.get("isi", "") is None else url


class Attachment(_Part):
    """A file of the form: in `isi` (Base64), or to be fetched from `url`; `ukuran` in bytes."""

    nama: Annotated[str, Field(min_length=1, max_length=255), BeforeValidator(_line), AfterValidator(_file_name)]
    jenis: Annotated[
        str,
        Field(max_length=127, json_schema_extra={"format": "media-type"}),
        BeforeValidator(_line),
        _shaped("media_type", _MEDIA_TYPE),
    ]
    ukuran: Annotated[int, Field(ge=0, le=MAX_FILE), BeforeValidator(_whole)]
    sha256: Annotated[str, Field(json_schema_extra={"pattern": "^[0-9a-f]{64}$"}), BeforeValidator(_lower), _shaped("sha256", _SHA256)]
    isi: Annotated[Annotated[str, AfterValidator(_content)] | None, Field(repr=False, json_schema_extra={"contentEncoding": "base64"})] = (
        None
    )
    url: Annotated[Address | None, AfterValidator(_somewhere), Field(validate_default=True)] = None

    def content(self) -> bytes | None:
        """The file's bytes; None where they are only at `url`."""
        return None if self.isi is None else base64.b64decode(self.isi)


def _not_before(selesai: str, known: ValidationInfo) -> str:
    """A form is finished after it was begun."""
    return _wrong("order") if "mulai" in known.data and moment(selesai) < moment(known.data["mulai"]) else selesai


class Filling(_Part):
    mulai: Timestamp
    selesai: Annotated[Timestamp, AfterValidator(_not_before)]


def _agreed(disetujui: bool) -> bool:  # noqa: FBT001 - a validator's value
    return disetujui or _wrong("consent")


class Consent(_Part):
    versi: Code
    dasar: Name
    disetujui: Annotated[bool, Field(json_schema_extra={"const": True}), AfterValidator(_agreed)]


def _known(kode: str, known: ValidationInfo) -> str:
    """The code is of a form that a case can be opened with, where it is known which those are."""
    if known.context is not None and kode not in known.context:
        raise PydanticCustomError("literal_error", "unknown", {"expected": ", ".join(f"'{code}'" for code in known.context)})
    return kode


class Form(_Part):
    """The fields of FRM-SI-005 (contract.md); forms of other procedures have the same ones under a code of their own."""

    kode: Annotated[Code, AfterValidator(_known)]
    unit_kerja: Unit
    pelapor: Reporter
    sistem: System
    masalah: Problem
    lampiran: Annotated[
        tuple[Attachment, ...], Field(strict=False, max_length=MAX_FILES, json_schema_extra={"type": ["array", "null"]}), _absent(())
    ] = ()
    pengisian: Filling | None = None
    pdp: Consent


class SubmittedData(_Part):
    formulir: Form


class RevisedData(_Part):
    tiket: Ticket
    formulir: Form


class WithdrawnData(_Part):
    tiket: Ticket
    alasan: Reason
    oleh: Name


class TrialData(_Part):
    """`catatan` is what the unit found in the trial: step 24 is not left without it, so it is asked for here already."""

    tiket: Ticket
    hasil: Literal["lulus", "gagal"]
    catatan: Reason
    oleh: Name


def _explained(catatan: str, known: ValidationInfo) -> str:
    """What is refused is refused for a reason (procedure.md, step 31)."""
    return catatan if catatan or known.data.get("hasil", "terima") == "terima" else _wrong("reason_needed")


_REFUSED: JsonDict = {"properties": {"hasil": {"not": {"const": "terima"}}}}
_WITH_REASON: JsonDict = {"required": ["catatan"], "properties": {"catatan": {"type": "string", "minLength": 1}}}


class HandoverData(_Part):
    model_config = ConfigDict(json_schema_extra={"if": _REFUSED, "then": _WITH_REASON})

    tiket: Ticket
    hasil: Literal["terima", "tolak-fungsi", "tolak-dokumen"]
    catatan: Annotated[
        str,
        Field(max_length=5_000, validate_default=True, json_schema_extra={"type": ["string", "null"]}),
        BeforeValidator(_prose),
        _absent(""),
        AfterValidator(_explained),
    ] = ""
    oleh: Name


class Submitted(_Part):
    type: Literal["pengaduan.diajukan"]
    timestamp: Timestamp
    data: SubmittedData


class Revised(_Part):
    type: Literal["pengaduan.direvisi"]
    timestamp: Timestamp
    data: RevisedData


class Withdrawn(_Part):
    type: Literal["pengaduan.dibatalkan"]
    timestamp: Timestamp
    data: WithdrawnData


class TrialJudged(_Part):
    type: Literal["uji_coba.dinilai"]
    timestamp: Timestamp
    data: TrialData


class HandoverAnswered(_Part):
    type: Literal["serah_terima.ditanggapi"]
    timestamp: Timestamp
    data: HandoverData


Message = Submitted | Revised | Withdrawn | TrialJudged | HandoverAnswered

_ANSWERS: dict[str, type[BaseModel]] = {"uji_coba.dinilai": TrialData, "serah_terima.ditanggapi": HandoverData}

_MESSAGE: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="type")])


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: where (without the `data` that holds everything), and a sentence for the one who fills in the form."""

    path: str
    pesan: str


@dataclass(frozen=True, slots=True)
class Faults:
    """Everything that is wrong with a message; answered 422."""

    faults: tuple[Fault, ...]

    def answer(self) -> dict[str, list[dict[str, str]]]:
        """The body of the answer."""
        return {"kesalahan": [{"path": fault.path, "pesan": fault.pesan} for fault in self.faults]}


@dataclass(frozen=True, slots=True)
class NotJson:
    """The body is no JSON object at all; answered 400."""


class _Twice(Exception):
    """A JSON object was given one of its names more than once."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise _Twice
    return made


class _Object(dict[str, Any]):
    """A JSON object that knows which of its names it was given more than once."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.twice = [name for name, times in Counter(name for name, _ in pairs).items() if times > 1]


def _loaded(body: bytes) -> tuple[Any, list[Fault]]:
    """The JSON value in these bytes, and a fault for each name that was given more than once. ValueError, RecursionError for no JSON."""
    text = body.decode()
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_number), []
    except _Twice:
        content = json.loads(text, object_pairs_hook=_Object, parse_constant=_no_number)
        return content, [_fault(place, "twice", {}) for place in _twice(content)]


def read(body: bytes, codes: Collection[str] | None = None) -> Message | Faults | NotJson:
    """The message in these bytes, or every fault it has, each in formal Indonesian. `codes`: of the forms that are taken; None: of any."""
    try:
        content, faults = _loaded(body)
    except (ValueError, RecursionError):  # bad UTF-8 and endless numbers are ValueErrors, too
        return NotJson()
    if not isinstance(content, dict):
        return NotJson()
    try:
        message = _MESSAGE.validate_python(content, context=codes)
    except ValidationError as invalid:
        errors = invalid.errors(include_url=False, include_input=False)
        faults += [_fault(error["loc"][1:], error["type"], error.get("ctx", {})) for error in errors]  # without the union's tag
    else:
        if not faults:
            return message
    return Faults(tuple(faults))


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def _twice(content: _Object | list[Any]) -> Iterator[tuple[str | int, ...]]:
    """Where a name was given more than once."""
    waiting: list[tuple[tuple[str | int, ...], _Object | list[Any]]] = [((), content)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, _Object):
            yield from ((*place, name) for name in value.twice)
        parts = value.items() if isinstance(value, _Object) else enumerate(value)
        waiting += [((*place, name), part) for name, part in parts if isinstance(part, _Object | list)]


def _fault(place: tuple[str | int, ...], kind: str, context: Mapping[str, Any]) -> Fault:
    """One fault in words; `kind` is pydantic's, or "form" with our own code in the context."""
    steps = [clean(str(step))[:LONGEST_KEY] for step in (place[1:] if len(place) > 1 and place[0] == "data" else place)]
    if kind.startswith("union_tag"):
        steps = ["type"]
    sentences = messages("form")
    sentence = sentences.get(context.get("code", kind), sentences["other"])
    choices = re.findall(r"'([^']*)'", str(context.get("expected_tags", context.get("expected", ""))))
    return Fault(".".join(steps), sentence.format_map({**context, "key": "".join(steps[-1:]), "choices": ", ".join(choices)}))


_FILES: TypeAdapter[tuple[Attachment, ...]] = TypeAdapter(Annotated[tuple[Attachment, ...], Field(strict=False, max_length=MAX_FILES)])


def read_files(files: list[dict[str, Any]]) -> tuple[Attachment, ...] | Faults:
    """Files as a form has them under `lampiran`; or every fault they have."""
    try:
        return _FILES.validate_python(files)
    except ValidationError as invalid:
        errors = invalid.errors(include_url=False, include_input=False)
        return Faults(tuple(_fault(("lampiran", *error["loc"]), error["type"], error.get("ctx", {})) for error in errors))


_OF_PERSONS: dict[str, type[BaseModel]] = {"pelapor": Reporter, "unit_kerja.pimpinan": Head}
CORRIGIBLE = tuple(f"{place}.{name}" for place, part in _OF_PERSONS.items() for name in part.model_fields)
"""What of a form can be corrected without a revision: what it says of persons."""


def corrected(frozen: dict[str, Any], changes: Mapping[str, str]) -> dict[str, Any] | Faults:
    """A kept form with these fields, of CORRIGIBLE, put right; every fault of the new values. The one that is given is not changed."""
    form = json.loads(json.dumps(frozen))
    faults: list[Fault] = []
    for place, part in _OF_PERSONS.items():
        holder = form["unit_kerja"] if "." in place else form
        name = place.rpartition(".")[2]
        said = holder[name] | {path.rpartition(".")[2]: value for path, value in changes.items() if path.rpartition(".")[0] == place}
        try:
            holder[name] = part.model_validate(said).model_dump(mode="json")
        except ValidationError as invalid:
            errors = invalid.errors(include_url=False, include_input=False)
            faults += [_fault((*place.split("."), *error["loc"]), error["type"], error.get("ctx", {})) for error in errors]
    return Faults(tuple(faults)) if faults else form


def fault(path: str, code: str) -> Fault:
    """A fault of our own at this place; `code` is a key of templates/messages/form.yaml."""
    return Fault(path, messages("form")[code])


def answered_by(word: str) -> str:
    """The type of the message by which the unit answers with this word; "" where none does."""
    return next((kind for kind, data in _ANSWERS.items() if word in get_args(data.model_fields["hasil"].annotation)), "")


def schema(ref_template: str = "#/$defs/{model}") -> dict[str, Any]:
    """The JSON Schema of all messages, for the description of the interface; its parts are in `$defs`, referred to by `ref_template`."""
    return _MESSAGE.json_schema(ref_template=ref_template)
