"""One file with everything the service knows: all tables and all files, made while it runs, proved before it counts, and put back whole.

No setting goes along, and so no secret: whoever puts it back needs `.env` and the organisation file from elsewhere.
"""

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import IO

from pydantic import BaseModel, Field, ValidationError

from integration.store.copies import Copies, Plain, TableCopy

BACKED_UP = "cadangan"
"""The mark under which the moment of the last backup is remembered, in ISO 8601; after one was put back, of that one."""

FORMAT = 1
MANIFEST, TABLES, FILES = "manifest.json", "basisdata/", "berkas/"
PREFIX, SUFFIX = "alur-", ".zip"
KEPT_FILES = "berkas"  # the folder of integration.files, in which names with a dot in front are files being written
CHUNK = 1024 * 1024


class Held(BaseModel):
    """What one file of a backup must be."""

    sha256: str
    size: int


class Manifest(BaseModel):
    """What a backup holds. `tables`: rows by table; `entries`: every file in it beside this one, by path."""

    format: int
    made_at: datetime
    release: str
    revision: str
    tables: dict[str, int] = Field(default_factory=dict)
    entries: dict[str, Held] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BackupFault:
    """What is wrong with a backup, or in the way of putting it back. `kind`: a key of templates/messages/upkeep.yaml; `what`: where."""

    kind: str
    what: str = ""


class Unusable(Exception):
    """The backup cannot be put back, and nothing was."""

    def __init__(self, *faults: BackupFault) -> None:
        super().__init__(", ".join(f"{fault.kind} {fault.what}".strip() for fault in faults))
        self.faults = faults


# --- making one ---


def make(database: Copies, data: Path, folder: Path, at: datetime) -> tuple[Path, Manifest]:
    """Write a backup of the database and of all files below `data` into `folder`; gives where it is, and what it holds.

    The tables are read first: each file they speak of is there by then, and none is ever changed. What was written is read back before it
    gets its name, so there is a whole one or none. Raises OSError, StoreDown, UnknownRevision, Unusable.
    """
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"{PREFIX}{at.astimezone(UTC):%Y%m%d-%H%M%S}{SUFFIX}"
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".")
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            manifest = _written(file, database, data, folder, at)
            file.flush()
            os.fsync(descriptor)
        prove(draft)
        draft.rename(place)
        _sync(folder)
    finally:
        draft.unlink(missing_ok=True)
    return place, manifest


def _written(file: IO[bytes], database: Copies, data: Path, folder: Path, at: datetime) -> Manifest:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        with database.snapshot() as snapshot:
            manifest = Manifest(format=FORMAT, made_at=at, release=version("alur-pos"), revision=snapshot.revision)
            for table in snapshot.tables:
                _put_table(archive, table, manifest)
        for path in files_below(data, database.file, folder):
            with suppress(FileNotFoundError), path.open("rb") as content:  # one that was erased meanwhile was to go
                _put_file(archive, FILES + path.relative_to(data).as_posix(), content, manifest)
        archive.writestr(MANIFEST, manifest.model_dump_json(indent=1))
    return manifest


def files_below(data: Path, database: Path | None, folder: Path) -> Iterator[Path]:
    """Every file of the service below `data`, in order: not the database, not what is just being written, not the backups themselves."""
    ours = {f"{database.resolve()}{end}" for end in ("", "-wal", "-shm", "-journal")} if database else set()
    for path in sorted(data.rglob("*")):
        being_written = path.name.startswith(".") and path.relative_to(data).parts[0] == KEPT_FILES
        backup = folder.resolve() in path.resolve().parents
        if path.is_file() and str(path.resolve()) not in ours and not being_written and not backup:
            yield path


def _put_table(archive: zipfile.ZipFile, table: TableCopy, manifest: Manifest) -> None:
    """A table as JSON lines: first its columns, then a line for each row."""
    name, sha256, size, rows = f"{TABLES}{table.name}.jsonl", hashlib.sha256(), 0, -1
    with archive.open(name, "w", force_zip64=True) as out:
        for line in _lines(table):
            out.write(line)
            sha256.update(line)
            size, rows = size + len(line), rows + 1
    manifest.tables[table.name] = rows
    manifest.entries[name] = Held(sha256=sha256.hexdigest(), size=size)


def _lines(table: TableCopy) -> Iterator[bytes]:
    yield _line(list(table.columns))
    for row in table.rows:
        yield _line(row)


def _line(values: object) -> bytes:
    return json.dumps(values, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def _put_file(archive: zipfile.ZipFile, name: str, content: IO[bytes], manifest: Manifest) -> None:
    """A file as it is: papers and pictures are packed already."""
    sha256, size, entry = hashlib.sha256(), 0, zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_STORED
    with archive.open(entry, "w", force_zip64=True) as out:
        while chunk := content.read(CHUNK):
            out.write(chunk)
            sha256.update(chunk)
            size += len(chunk)
    manifest.entries[name] = Held(sha256=sha256.hexdigest(), size=size)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def outdated(folder: Path, keep: int) -> list[Path]:
    """The backups in a folder beyond the newest so many."""
    return sorted(folder.glob(f"{PREFIX}[0-9]*{SUFFIX}"))[:-keep]


# --- proving one ---


def prove(archive: Path) -> Manifest:
    """What a backup holds. Raises Unusable with all that is not as it says, and OSError."""
    try:
        with zipfile.ZipFile(archive) as opened:
            manifest = Manifest.model_validate_json(opened.read(MANIFEST))
            faults = list(_faults(opened, manifest))
    except (zipfile.BadZipFile, KeyError, ValidationError, EOFError, NotImplementedError) as fault:
        raise Unusable(BackupFault("cadangan_rusak", archive.name)) from fault
    if faults:
        raise Unusable(*faults)
    return manifest


def _faults(archive: zipfile.ZipFile, manifest: Manifest) -> Iterator[BackupFault]:
    if manifest.format != FORMAT:
        yield BackupFault("cadangan_bentuk", str(manifest.format))
        return
    there = {entry.filename for entry in archive.infolist()} - {MANIFEST}
    for name in sorted(there - manifest.entries.keys()):
        yield BackupFault("cadangan_asing", name)
    for name, held in manifest.entries.items():
        if name not in there:
            yield BackupFault("cadangan_hilang", name)
        elif not _safe(name) or not _is(archive, name, held):
            yield BackupFault("cadangan_berubah", name)


def _safe(name: str) -> bool:
    """Whether a path leads nowhere else than below where it is put."""
    path = PurePosixPath(name)
    return name.startswith((TABLES, FILES)) and ".." not in path.parts and not PurePosixPath(name.partition("/")[2]).is_absolute()


def _is(archive: zipfile.ZipFile, name: str, held: Held) -> bool:
    sha256 = hashlib.sha256()
    try:
        with archive.open(name) as content:
            while chunk := content.read(CHUNK):
                sha256.update(chunk)
    except (zipfile.BadZipFile, EOFError):
        return False
    return sha256.hexdigest() == held.sha256 and archive.getinfo(name).file_size == held.size


# --- putting one back ---


def put_back(archive: Path, database: Copies, data: Path, *, skip: int = 0) -> Manifest:
    """Bring an empty machine to what a backup holds; gives what that is.

    Files come first and the tables last, in one transaction: until then nothing of it is there for the service, and the same backup can be
    put back again. `skip`: see Copies.fill. Raises Unusable before anything is written, NotEmpty, UnknownRevision, OSError, StoreDown.
    """
    manifest = prove(archive)
    database.able_to_fill(manifest.revision)
    with zipfile.ZipFile(archive) as opened:
        wanted = {name.removeprefix(FILES): held for name, held in manifest.entries.items() if name.startswith(FILES)}
        strays = [path for path in _there(data, database) if not _same(data / path, wanted.get(path))]
        if strays:
            raise Unusable(*(BackupFault("sasaran_berisi", str(data / path)) for path in strays[:3]))
        for path in wanted:
            _place(opened, FILES + path, data / path)
        filled = database.fill(manifest.revision, _tables(opened, manifest), skip=skip)
    if filled != manifest.tables:
        raise Unusable(BackupFault("cadangan_berubah", TABLES))
    return manifest


def _there(data: Path, database: Copies) -> list[str]:
    return [path.relative_to(data).as_posix() for path in files_below(data, database.file, data / ".tidak-ada")]


def _same(path: Path, held: Held | None) -> bool:
    return held is not None and hashlib.sha256(path.read_bytes()).hexdigest() == held.sha256


def _place(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    """Write a file for good, or not at all."""
    if path.exists():
        return  # the same, or it would have been in the way
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(descriptor, "wb") as out, archive.open(name) as content:
            while chunk := content.read(CHUNK):
                out.write(chunk)
            out.flush()
            os.fsync(descriptor)
        Path(draft).rename(path)
        _sync(path.parent)
    finally:
        Path(draft).unlink(missing_ok=True)


def _tables(archive: zipfile.ZipFile, manifest: Manifest) -> Iterator[TableCopy]:
    for name in manifest.tables:
        with archive.open(f"{TABLES}{name}.jsonl") as lines:
            yield TableCopy(name, tuple(json.loads(next(lines))), _rows(lines))


def _rows(lines: IO[bytes]) -> Iterator[list[Plain]]:
    for line in lines:
        yield json.loads(line)
