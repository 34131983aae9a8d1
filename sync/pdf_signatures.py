"""What a PDF itself tells of its signatures: whether they hold, and whether it still shows what was issued.

Who signed is not known here: no certificate is followed to anybody who vouches for it, and nothing is asked of the network.
"""

import io
import logging
import re
from collections.abc import Iterator
from typing import Any

from pyhanko.pdf_utils.generic import DictionaryObject, IndirectObject, Reference
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import DiffResult, ModificationLevel
from pyhanko.sign.diff_analysis.commons import compare_dicts
from pyhanko.sign.validation.generic_cms import validate_sig_integrity
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel

from integration.procedure.facts import Finding

WEAK = frozenset({"md5", "sha1"})
ENDING = 64  # bytes in which a file says that it ends
END = re.compile(rb"startxref\s+\d+\s+%%EOF\s*\Z")
LONGEST_NAME = 100  # characters of a certificate's name that are told on
ROOT_MAY_CHANGE = frozenset({"/AcroForm", "/DSS", "/Extensions", "/Version", "/Metadata", "/Perms"})
PAGE_MAY_CHANGE = frozenset({"/Annots", "/Tabs"})

log = logging.getLogger(__name__)
logging.getLogger("pyhanko").setLevel(logging.CRITICAL)  # it tells what strangers' files hold


def look(content: bytes, wanted: int) -> tuple[Finding, str]:
    """What was found of a PDF whose first revision is the paper as it was issued, and must have at least `wanted` signatures by now.

    With it whom the newest signature's certificate names. That the first revision is the issued one is for the caller to know.
    """
    try:
        reader = PdfFileReader(io.BytesIO(content))
    except Exception as fault:  # noqa: BLE001 -- as below
        log.info("not read as a PDF: %s", type(fault).__name__)
        return Finding.NO_PDF, ""
    try:
        return _found(reader, wanted)
    except Exception as fault:  # noqa: BLE001 -- a stranger's file may lead its reader anywhere; what it stumbles over proves nothing
        log.info("the signatures of a PDF cannot be followed: %s", type(fault).__name__)
        return Finding.SIGNATURE_BROKEN, ""


def _found(reader: PdfFileReader, wanted: int) -> tuple[Finding, str]:
    signatures = reader.embedded_regular_signatures
    if reader.encrypted or not _shows_the_same(reader):
        return Finding.CONTENT_CHANGED, ""
    if len(signatures) < wanted:
        return Finding.UNSIGNED, ""
    if not all(map(_holds, signatures)) or not _is_last(signatures[-1]):
        return Finding.SIGNATURE_BROKEN, ""
    names = signatures[-1].signer_cert.subject.native
    return Finding.SOUND, str(names.get("common_name", ""))[:LONGEST_NAME]


def _holds(signature: EmbeddedPdfSignature) -> bool:
    """Whether it is the certificate's own, over all of its revision, and nothing but what it permits came after it."""
    signature.compute_integrity_info()  # type: ignore[no-untyped-call]
    told = signature.summarise_integrity_info()
    covers = signature.coverage in (SignatureCoverageLevel.ENTIRE_FILE, SignatureCoverageLevel.ENTIRE_REVISION)
    if not covers or not told["docmdp_ok"] or signature.md_algorithm in WEAK:
        return False
    digest = signature.compute_digest()
    intact, valid = validate_sig_integrity(signature.signer_info, signature.signer_cert, "data", digest)
    return intact and valid


def _is_last(signature: EmbeddedPdfSignature) -> bool:
    """Whether nothing came after it but what proves it for longer, such as time stamps.

    Bytes behind the end of the file's last revision would be none of anybody's: a reader that mends files may take them in.
    """
    if signature.signed_revision == signature.reader.xrefs.total_revisions - 1:
        return bool(signature.coverage is SignatureCoverageLevel.ENTIRE_FILE)
    after: object = signature.diff_result  # set meanwhile, which its declaration does not tell
    lasting = isinstance(after, DiffResult) and after.modification_level <= ModificationLevel.LTA_UPDATES
    signature.reader.stream.seek(-ENDING, io.SEEK_END)
    return lasting and END.search(signature.reader.stream.read()) is not None


def _shows_the_same(reader: PdfFileReader) -> bool:
    """Whether the document as it is now differs from its first revision in nothing but signatures.

    pyHanko judges what came after a signature, not what came before the first one: a page may be rewritten and then signed.
    """
    issued, xrefs = reader.get_historical_resolver(0), reader.xrefs
    own = xrefs.explicit_refs_in_revision(0)
    freed = {ref for revision in range(1, xrefs.total_revisions) for ref in xrefs.refs_freed_in_revision(revision)}
    changed = {ref for ref in own if xrefs.get_last_change(ref) > 0}
    newest = reader.get_historical_resolver(xrefs.total_revisions - 1)
    pages = [(ref, page, newest(ref)) for ref, page in _pages(issued.root)]
    lists = {_reference(page, "/Annots") for _, page, _ in pages}
    told_beside = {_reference(issued.root, "/Metadata"), _reference(issued.trailer_view, "/Info")}
    form = _value(newest.root, "/AcroForm")
    return (
        not freed & own
        and changed <= {issued.root_ref, *told_beside, *(ref for ref, _, _ in pages), *lists}
        and compare_dicts(issued.root, newest.root, ROOT_MAY_CHANGE, raise_exc=False)
        and all(compare_dicts(old, new, PAGE_MAY_CHANGE, raise_exc=False) for _, old, new in pages)
        and all(_only_signatures_added(_value(old, "/Annots"), _items(new, "/Annots")) for _, old, new in pages)
        and (form is None or all(map(_is_signature, _items(form, "/Fields"))))
    )


def _pages(root: DictionaryObject) -> Iterator[tuple[Reference, DictionaryObject]]:
    """The pages of a document, with how they are referred to."""
    waiting = [root.raw_get("/Pages")]
    while waiting:
        node = waiting.pop()
        inside = node.get_object()
        if "/Kids" in inside:
            waiting += inside["/Kids"]
        else:
            yield node.reference, inside


def _reference(holder: DictionaryObject, key: str) -> Reference | None:
    """What a value refers to; None where it stands in its holder itself, or is not there."""
    value = holder.raw_get(key) if key in holder else None
    return value.reference if isinstance(value, IndirectObject) else None


def _only_signatures_added(before: Any, after: list[DictionaryObject]) -> bool:  # noqa: ANN401
    """Whether a page has what was on it besides its text, and nothing more but places of signatures."""
    kept = len(before or ())
    return all(before[n] == after[n] for n in range(kept)) and all(map(_is_signature, after[kept:]))


def _is_signature(field: DictionaryObject) -> bool:
    """Whether a field of a form, or its place on a page, is for a signature and nothing else."""
    kind = _value(field, "/FT") or _value(_value(field, "/Parent") or field, "/FT")
    return kind == "/Sig" and not any("/T" in kid for kid in _items(field, "/Kids"))


def _value(holder: DictionaryObject, key: str) -> Any:  # noqa: ANN401 -- whatever a PDF holds
    return holder[key] if key in holder else None  # noqa: SIM401 -- `get` gives what it refers to by reference


def _items(holder: DictionaryObject, key: str) -> list[DictionaryObject]:
    """The members of a list, themselves and not by reference."""
    array = _value(holder, key)
    return [] if array is None else [array[index] for index in range(len(array))]
