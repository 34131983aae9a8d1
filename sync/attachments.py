"""Looks an attachment over before anybody is shown it: fetched, scanned, its type told by its content, pictures made anew.

Its name and the type told with it count for nothing here. Nothing is opened but pictures, and of those only what is seen is kept.
"""

import io
import logging
import warnings
import zipfile
from dataclasses import dataclass

import puremagic
from PIL import Image, ImageOps, ImageSequence

from integration import attachments
from integration.attachments import Examined, Scan
from integration.faults import Transient
from integration.files import FileStore
from integration.procedure.facts import Attachment
from integration.store import Store
from sync import clamd, fetch

MOST_PIXELS = 50_000_000
QUALITY = 90  # of JPEG and WebP
PICTURES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif"}
PDF, TEXT, UNKNOWN = "application/pdf", "text/plain", "application/octet-stream"
MACROS = ("vbaproject.bin", "vbadata.xml")
PROGRAMS = (b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\0asm")
ARCHIVES = (b"7z\xbc\xaf\x27\x1c", b"Rar!", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"MSCF")
TAR, TAR_AT = b"ustar", 257
OOXML = "[content_types].xml"
OPENDOCUMENT, OPENDOCUMENT_AT = b"mimetypeapplication/vnd.oasis.opendocument.", 30  # its first entry, not packed
OLE, MACROS_IN_OLE = b"\xd0\xcf\x11\xe0", "_VBA_PROJECT".encode("utf-16-le")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Attachments:
    """`hosts`: from where attachments are fetched (ALUR_ATTACHMENT_HOSTS); `scanner`: ALUR_CLAMD_URL, "" where there is none."""

    store: Store
    files: FileStore
    hosts: tuple[str, ...] = ()
    scanner: str = ""

    def examined(self, ticket: str, file: Attachment, *, patient: bool) -> Examined:
        """What may be shown of this file of a case. What its bytes are is found out once, and again while they were not scanned.

        Raises Transient while it may still be had, where `patient`; DiskRefuses.
        """
        known = attachments.kept(self.store, ticket, file.sha256)
        if known is not None and (known.refused or known.scan is not Scan.NONE or not self.scanner):
            return known
        try:
            content = self._content(ticket, file)
        except fetch.NotFetched as gone:
            return Examined(refused=gone.reason)  # of that address, and of now: not of these bytes
        except Transient:
            if patient:
                raise
            return Examined(refused="unreachable")
        found = self._look(ticket, content, file.sha256, patient=patient)
        attachments.keep(self.store, ticket, file.sha256, found)
        return found

    def _look(self, ticket: str, content: bytes, sha256: str, *, patient: bool) -> Examined:
        scan = self._scan(content, patient=patient)
        if scan is Scan.INFECTED:
            log.error("an attachment is infected: %s", sha256)
            return Examined(scan=scan, refused="infected")
        media_type, shown, refused = _judged(content)
        return Examined(media_type, "" if refused else self.files.put(ticket, shown), scan, refused)

    def _content(self, ticket: str, file: Attachment) -> bytes:
        try:
            return self.files.get(ticket, file.sha256)
        except FileNotFoundError:
            content = fetch.fetch(file.url, file.sha256, self.hosts)
            self.files.put(ticket, content)
            return content

    def _scan(self, content: bytes, *, patient: bool) -> Scan:
        if not self.scanner:
            return Scan.NONE
        try:
            return Scan.CLEAN if clamd.is_clean(self.scanner, content) else Scan.INFECTED
        except clamd.NotScanned as fault:
            if patient:
                raise Transient(f"the virus scanner does not answer: {fault}") from fault
            log.error("an attachment was not scanned: %s", fault)  # noqa: TRY400 -- the reason is all there is to know
            return Scan.NONE


def _judged(content: bytes) -> tuple[str, bytes, str]:
    """Type by content, what may be shown of it, and why nothing may be."""
    if content.startswith(PROGRAMS):
        return UNKNOWN, b"", "program"
    if content.startswith(ARCHIVES) or content[TAR_AT : TAR_AT + len(TAR)] == TAR:
        return UNKNOWN, b"", "archive"
    if content.startswith(b"PK\x03\x04"):
        return _zipped(content)
    if content.startswith(OLE) and MACROS_IN_OLE in content:
        return UNKNOWN, b"", "program"
    if content.startswith(b"%PDF-"):
        return PDF, content, ""
    if _is_text(content):
        return TEXT, content, ""
    kind = _known_kind(content)
    return _picture(content) if kind in PICTURES.values() else (kind, content, "")


def _known_kind(content: bytes) -> str:
    try:
        return puremagic.from_string(content, mime=True) or UNKNOWN
    except (puremagic.PureError, ValueError):
        return UNKNOWN


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return False
    return not any(ord(sign) < ord(" ") and sign not in "\t\n\r\f" for sign in text)


def _zipped(content: bytes) -> tuple[str, bytes, str]:
    """A document of an office suite is a zip that says so; any other is an archive, and one with macros a program."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [name.casefold() for name in archive.namelist()]
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return UNKNOWN, b"", "archive"
    if any(name.rpartition("/")[2] in MACROS for name in names):
        return UNKNOWN, b"", "program"
    if OOXML in names or content[OPENDOCUMENT_AT:].startswith(OPENDOCUMENT):
        return _known_kind(content), content, ""
    return UNKNOWN, b"", "archive"


def _picture(content: bytes) -> tuple[str, bytes, str]:
    """The picture as it is seen, made anew: what a camera or a program wrote beside it (place, device, author) is not taken along."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=list(PICTURES)) as picture:
                kind = picture.format or ""
                if picture.width * picture.height * getattr(picture, "n_frames", 1) > MOST_PIXELS:
                    return PICTURES[kind], b"", "picture_large"
                return PICTURES[kind], _anew(picture, kind), ""
    except Exception:  # noqa: BLE001 -- whatever a decoder raises on bytes that were made to break it
        return UNKNOWN, b"", "picture_broken"


def _anew(picture: Image.Image, kind: str) -> bytes:
    made = io.BytesIO()
    if kind == "GIF":
        frames = [frame.copy() for frame in ImageSequence.Iterator(picture)]
        for frame in frames:
            frame.info = {name: frame.info[name] for name in ("duration", "transparency") if name in frame.info}
        frames[0].save(made, kind, save_all=True, append_images=frames[1:], loop=0)
        return made.getvalue()
    upright = ImageOps.exif_transpose(picture)
    if upright.mode not in ("1", "L", "LA", "RGB", "RGBA"):
        upright = upright.convert("RGBA" if "transparency" in upright.info else "RGB")
    seen = Image.frombytes(upright.mode, upright.size, upright.tobytes())
    seen.save(made, kind, quality=QUALITY)
    return made.getvalue()
