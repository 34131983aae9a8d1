"""One file for one case: ledger, papers, forms, the issue as it was last seen, and a page to read it by, provable without the service.

What is proved is only what the archive itself holds: the manifest vouches for each file, the ledger's chain for each line, the ledger for
each paper, the procedure's file for each step.
"""

import base64
import hashlib
import io
import json
import logging
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from integration import codec, procedures
from integration.clock import Clock
from integration.codec import Json
from integration.faults import Permanent, RateLimited, Transient
from integration.files import FileStore
from integration.procedure.case import Case, fold
from integration.procedure.definition import Procedure, by_revision
from integration.procedure.events import CaseOpened, DocumentSigned, Entry, RevisionAdopted
from integration.sealing import Erased
from integration.store import Line, Store, chain_faults, entry_of
from integration.templates import messages
from sync.audit import Broken, Proof, Vouched, out_of_order, vouched
from sync.display import Display
from sync.gitlab import Platform
from sync.paper import page

KEPT = "arsip:"
"""Before a ticket: the mark under which the hash of its archive is remembered; behind it stands how many signed copies it holds, if any."""

LOOKED_BACK = timedelta(days=31)  # so long a case that ended is looked for that could not be archived at once
LARGEST = 4 * 1024**3  # bytes an archive may hold unpacked
PROCEDURES = "prosedur/"
MANIFEST, LEDGER, PLATFORM, INDEX = "manifest.json", "catatan.jsonl", "platform.json", "index.html"
log = logging.getLogger(__name__)

EARLIEST = (1980, 1, 1, 0, 0, 0)  # of a file in a zip


@dataclass(frozen=True, slots=True)
class Archives:
    """Packs and keeps the archives of cases. Not shared between threads."""

    store: Store
    files: FileStore
    platform: Platform
    clock: Clock

    def night(self, display: Display) -> int:
        """Archive each case that ended and has nothing left to be done; gives how many. One that cannot be, can be the next night.

        Raises RateLimited, StoreDown.
        """
        still_open = {row.ticket for row in self.store.case_rows(open_only=True)}
        packed = 0
        for ticket in self.store.tickets(ended_after=self.clock() - LOOKED_BACK):
            if ticket in still_open or self.store.mark(self._mark(ticket)) or self._unfinished(ticket):
                continue
            try:
                self.keep(ticket, display)
            except Erased:
                continue
            except RateLimited:  # of all of them
                raise
            except (Transient, Permanent, OSError, ValueError) as fault:  # of this one; the others are archived
                log.error("%s is not archived: %s", ticket, fault)  # noqa: TRY400 -- the next night says it again
                continue
            packed += 1
        return packed

    def keep(self, ticket: str, display: Display) -> bytes:
        """The archive of a case that has ended, made once and the same from then on, until a signed copy comes that it does not hold.

        Raises Transient, Permanent, StoreDown.
        """
        mark = self._mark(ticket)
        kept = self.store.mark(mark)
        if kept:
            return self.files.get(ticket, kept)
        archive = self.pack(ticket, display)
        self.store.set_mark(mark, self.files.put(ticket, archive))
        return archive

    def _mark(self, ticket: str) -> str:
        """The mark of the archive of a case as it is now: papers are signed after the end, too."""
        signed = sum(isinstance(entry.event, DocumentSigned) for entry in self.store.entries(ticket))
        return f"{KEPT}{ticket}:{signed}" if signed else KEPT + ticket

    def pack(self, ticket: str, display: Display) -> bytes:
        """The archive of a case as it is now. Raises Transient, Permanent, StoreDown; LookupError for one that is not worked on yet."""
        lines, key = self.store.lines(ticket), self.store.key(ticket)
        entries = [entry_of(line, key) for line in lines]
        case = fold(entries)
        if case is None:
            raise LookupError(ticket)
        procedure = display.procedure(case)
        held = [(_title(file, procedure), file) for file in sorted(vouched(case), key=lambda file: file.paper is None)]
        content = {file.path: self.files.get(ticket, file.sha256) for _, file in held}
        content[LEDGER] = b"".join(codec.canonical(_plain(line)) + b"\n" for line in lines)
        content[PLATFORM] = json.dumps(self._seen(case), ensure_ascii=False, indent=1, sort_keys=True).encode()
        shipped = procedures.shipped()
        for name in sorted({f"{slug}.{revision}" for slug, revision in _revisions(entries)}):
            content[f"{PROCEDURES}{name}.yaml"] = shipped[name].read_bytes()
        text = display.wording.render(
            "reports/arsip.md",
            case=case,
            form=case.submission,
            procedure=procedure,
            held=held,
            entries=entries,
            others=OTHERS,
        )
        content[INDEX] = page(text, messages("archive")["title"].format(ticket=ticket)).encode()
        return _zipped(ticket, key, content, entries[-1].at)

    def _seen(self, case: Case) -> Json:
        """The issue and what was said in it, as the platform gives them; empty where the case has none."""
        if case.iid is None:
            return {}
        issue = f"{self.platform.project}/issues/{case.iid}"
        return {"issue": self.platform.get(issue), "notes": list(self.platform.pages(f"{issue}/notes", {"sort": "asc"}))}

    def _unfinished(self, ticket: str) -> bool:
        return bool(self.store.inbox_rows(lane=ticket, limit=1) or self.store.outbox_rows(lane=ticket, limit=1))


OTHERS = (LEDGER, PLATFORM, MANIFEST)


def _title(file: Vouched, procedure: Procedure) -> str:
    """What the page calls a file."""
    if file.paper:
        title = f"{procedure.document(file.paper.document).title}, {file.paper.edition}, versi {file.paper.version}"
        return f"{title}, {messages('archive')['signed'].format(capacity=file.copy.capacity)}" if file.copy else title
    return f"{procedure.form}, versi {file.form}" if file.form else file.what


def _revisions(entries: list[Entry]) -> Iterator[tuple[str, str]]:
    """The procedures the case went by."""
    slug = ""
    for event in (entry.event for entry in entries):
        match event:
            case CaseOpened():
                slug = event.procedure
                yield slug, event.revision
            case RevisionAdopted():
                yield slug, event.revision


def _plain(line: Line) -> Json:
    return asdict(line) | {"at": line.at.isoformat(timespec="microseconds")}


def _zipped(ticket: str, key: bytes | None, content: Mapping[str, bytes], at: datetime) -> bytes:
    """These files by path, in a fixed order and all of the same moment, with their manifest: the same content is the same bytes.

    Whoever is given the archive may read all of it, so the key goes along by which the ledger's sealed parts are read.
    """
    hashes = {path: hashlib.sha256(content[path]).hexdigest() for path in sorted(content)}
    manifest = {"format": 1, "ticket": ticket, "files": hashes, "key": base64.b64encode(key).decode() if key else ""}
    whole = {**content, MANIFEST: json.dumps(manifest, indent=1).encode()}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in (INDEX, MANIFEST, *(path for path in sorted(content) if path != INDEX)):
            info = zipfile.ZipInfo(path, max(EARLIEST, at.timetuple()[:6]))
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(info, whole[path])
    return packed.getvalue()


# --- the proof ---


def prove(path: Path) -> Proof:
    """Prove an archive by itself, without service or network. OSError for a file that cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            faults, files, ticket, key = _read(archive)
            if not faults:
                faults = list(_faults(ticket, key, files))
            return Proof(1, len(files), tuple(faults))
    except (zipfile.BadZipFile, NotImplementedError, ValueError, KeyError, EOFError):
        return Proof(0, 0, (Broken(path.name, "arsip_rusak"),))


def _read(archive: zipfile.ZipFile) -> tuple[list[Broken], dict[str, bytes], str, bytes | None]:
    """The files that are as the manifest says, and which are not; whose archive it is, and the case's key."""
    if sum(info.file_size for info in archive.infolist()) > LARGEST:
        raise ValueError("larger than any archive")
    manifest = json.loads(archive.read(MANIFEST))
    ticket, hashes = str(manifest["ticket"]), dict(manifest["files"])
    names = [info.filename for info in archive.infolist() if info.filename != MANIFEST]
    faults = [Broken(ticket, "arsip_asing", what=name) for name in names if name not in hashes or names.count(name) > 1]
    files: dict[str, bytes] = {}
    for name, sha256 in hashes.items():
        if name not in names:
            faults.append(Broken(ticket, "arsip_hilang", what=name))
            continue
        files[name] = archive.read(name)
        if hashlib.sha256(files[name]).hexdigest() != sha256:
            faults.append(Broken(ticket, "arsip_berubah", what=name))
    return faults, files, ticket, base64.b64decode(manifest.get("key", "")) or None


def _faults(ticket: str, key: bytes | None, files: Mapping[str, bytes]) -> Iterator[Broken]:
    """What does not hold of the ledger, of the papers it vouches for, and of the way the case went."""
    lines = [_line(json.loads(row)) for row in files[LEDGER].splitlines()]
    broken = [Broken(fault.ticket, fault.kind, fault.seq) for fault in chain_faults(ticket, lines, len(lines))]
    if broken:
        yield from broken
        return
    entries = [entry_of(line, key) for line in lines]
    case = fold(entries)
    for file in vouched(case) if case else ():
        if file.path not in files:
            yield Broken(ticket, "berkas_hilang", what=file.path)
        elif hashlib.sha256(files[file.path]).hexdigest() != file.sha256:
            yield Broken(ticket, "berkas_berubah", what=file.path)
    yield from out_of_order(entries, by_revision(_procedures(files)))


def _line(said: Json) -> Line:
    return Line(**{**said, "at": datetime.fromisoformat(said["at"])})


def _procedures(files: Mapping[str, bytes]) -> Iterator[Procedure]:
    """The procedures the archive holds."""
    with tempfile.TemporaryDirectory() as folder:
        for path, content in files.items():
            if path.startswith(PROCEDURES):
                file = Path(folder, "prosedur.yaml")
                file.write_bytes(content)
                with suppress(procedures.InvalidProcedure):  # then it is missing, which is said
                    yield procedures.load(file)
