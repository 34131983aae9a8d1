"""Kept bytes, read: a fact, a reason to look at an issue, or a reason to do nothing; pure.

A hook is never believed beyond "look there": it can be late, doubled, out of order, and tells an edit in the name of the author. What a
form or an answer of the portal says is masked before it goes any further: no secret enters the ledger.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from integration import forms
from integration.codec import canonical, read
from integration.faults import Failure, Permanent
from integration.issue import Part
from integration.labels import asks
from integration.procedure import facts
from integration.procedure.definition import Channel, Procedure
from integration.procedure.facts import Actor, ActorKind, Attachment, FormRevised, FormSubmitted, OutcomeChosen, Submission, Via
from integration.secrecy import cover


@dataclass(frozen=True, slots=True)
class Look:
    """Read this issue again, these parts of its past in any case. `closely`: compared with the ledger, not with what was last seen.

    `after`: not before this moment, and meanwhile outside the case's lane, where it would hold up others.
    """

    iid: int
    parts: frozenset[Part] = frozenset()
    closely: bool = False
    after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing to do, and why: a word for the operator."""

    reason: str


@dataclass(frozen=True, slots=True)
class Told:
    """What the portal told. `contents`: bytes to be kept by their hash before the fact is decided on; `form`: the code of a new form."""

    fact: FormSubmitted | FormRevised | facts.Withdrawn | OutcomeChosen
    contents: tuple[bytes, ...] = ()
    form: str = ""


CLERK = "petugas"
"""The header, among those kept with a message, that says who entered a form off line."""


def read_portal(body: bytes, *, ticket: str, key: str, at: datetime, procedures: Sequence[Procedure], clerk: str = "") -> Told:
    """What a message of the portal says of a case (contract.md, "Portal -> service"). `at`: when it was kept; `key`: its webhook-id.

    `clerk`: who entered it off line; "": nobody.

    Raises Permanent for one that cannot be read any more: it was read before it was taken, so it is never passed over.
    """
    message = forms.read(body)
    key = f"portal:{key}"
    match message:
        case forms.Submitted(data=data):
            submission, contents = _submission(data.formulir)
            by = Actor(ActorKind.UNIT, name=submission.unit_name)
            submission = replace(submission, entered_by=clerk)
            return Told(FormSubmitted(key, at, by, ticket, submission), contents, data.formulir.kode)
        case forms.Revised(data=data):
            submission, contents = _submission(data.formulir)
            return Told(FormRevised(key, at, Actor(ActorKind.UNIT, name=submission.unit_name), submission), contents)
        case forms.Withdrawn(data=data):
            return Told(facts.Withdrawn(key, at, Actor(ActorKind.UNIT, name=data.oleh), cover(data.alasan)))
        case forms.TrialJudged(data=data) | forms.HandoverAnswered(data=data):
            by, note = Actor(ActorKind.UNIT, name=data.oleh), cover(data.catatan)
            return Told(OutcomeChosen(key, at, by, data.hasil, note, (), Via.PORTAL, _unit_step(procedures, data.hasil)))
        case _:
            raise Permanent("a message that was taken cannot be read any more", Failure.UNREADABLE)


def _unit_step(procedures: Sequence[Procedure], word: str) -> int | None:
    """The one step of the unit that has an outcome of this word; None where several have, or none: the current step decides."""
    unit = {(p.slug, role.slug) for p in procedures for role in p.roles if role.channel is Channel.PORTAL}
    steps = {step.number for p in procedures for step in p.steps if (p.slug, step.performer) in unit and step.outcome(word)}
    return steps.pop() if len(steps) == 1 else None


def _submission(form: forms.Form) -> tuple[Submission, tuple[bytes, ...]]:
    """The form as the core needs it, and what is kept by hash: the frozen form, without the files' bytes, and the files."""
    frozen = form.model_dump(mode="json", exclude={"lampiran": {"__all__": {"isi"}}})
    frozen["masalah"] = {name: cover(text) if isinstance(text, str) else text for name, text in frozen["masalah"].items()}
    kept = canonical(frozen)
    unit, head, problem, filling = form.unit_kerja, form.unit_kerja.pimpinan, form.masalah, form.pengisian
    submission = Submission(
        unit_code=unit.kode,
        unit_name=unit.nama,
        head_name=head.nama,
        head_nip=head.nip or "",
        head_title=head.jabatan,
        head_email=head.email,
        reporter=form.pelapor.nama,
        reporter_email=form.pelapor.email,
        system=form.sistem.nama,
        system_url=form.sistem.url or "",
        subject=cover(problem.judul),
        category=problem.kategori,
        description=cover(problem.uraian),
        reproduction=cover(problem.langkah_reproduksi or ""),
        since=problem.sejak,
        urgency=problem.urgensi,
        impact=problem.dampak,
        attachments=tuple(Attachment(file.nama, file.jenis, file.ukuran, file.sha256, file.url or "") for file in form.lampiran),
        filled_from=forms.moment(filling.mulai) if filling else None,
        filled_until=forms.moment(filling.selesai) if filling else None,
        sha256=hashlib.sha256(kept).hexdigest(),
        basis=form.pdp.dasar,
        notice=form.pdp.versi,
    )
    contents = (content for file in form.lampiran if (content := file.content()) is not None)
    return submission, (kept, *contents)


class _User(BaseModel):
    username: str


class _Project(BaseModel):
    id: int


class _Attributes(BaseModel):
    iid: int | None = None
    noteable_type: str | None = None
    action: str | None = None
    system: bool = False


class _Issue(BaseModel):
    iid: int


class _Hook(BaseModel):
    """What all hooks have in common, of what is used; everything else in them is a hint that is looked up instead."""

    object_kind: str
    user: _User | None = None
    project: _Project | None = None
    object_attributes: _Attributes = Field(default_factory=_Attributes)
    issue: _Issue | None = None
    changes: dict[str, Any] = Field(default_factory=dict)


OURSELVES = "akun"
"""The mark under which a worker that was woken for our own doing leaves who we are, so that the edge wakes nobody for it any more."""

OWN = "our own doing"


def ourselves_text(account: str, project_id: int) -> str:
    """Who we are, as it stands under that mark."""
    return json.dumps([account, project_id])


def ourselves(text: str | None) -> tuple[str, int] | None:
    """Our account and our project's id as they stand under the mark; None where nothing does."""
    return None if text is None else (str((told := json.loads(text))[0]), int(told[1]))


def look_bytes(look: Look) -> bytes:
    """A look as the body of an inbox row of source "sweep"."""
    said = {"iid": look.iid, "parts": sorted(look.parts), "closely": look.closely}
    return canonical(said | ({"after": look.after.isoformat()} if look.after else {}))


def read_look(body: bytes) -> Look:
    """The look of such a body. Raises Permanent where it is none to this release."""
    said = read(body)
    try:
        after = datetime.fromisoformat(said["after"]) if "after" in said else None
        return Look(int(said["iid"]), frozenset(Part(part) for part in said["parts"]), bool(said["closely"]), after)
    except (KeyError, TypeError, ValueError) as fault:
        raise Permanent(f"not a look as this release knows it: {fault}", Failure.UNREADABLE) from fault


def read_hook(body: bytes, *, own: str, project_id: int) -> Look | Ignored:
    """What a GitLab hook asks for (behaviour.md 1.3 and 1.4). `own`: our account; `project_id`: ours."""
    try:
        hook = _Hook.model_validate_json(body)
    except ValidationError:
        return Ignored("not a hook of an issue")
    if hook.project is not None and hook.project.id != project_id:
        return Ignored("another project's")
    if hook.user is not None and hook.user.username == own:
        return Ignored(OWN)  # of a note this is its author, so an edit of our notes ends here too; edits never count
    iid = _issue_number(hook)
    if iid is None:
        return Ignored(f"nothing about an issue: {hook.object_kind}")
    return Look(iid, frozenset(_parts(hook)))


def _issue_number(hook: _Hook) -> int | None:
    """Of an issue, whatever type it was made, or of a comment on one: a case's issue stays the case's as a task, too."""
    attributes = hook.object_attributes
    if hook.object_kind in ("issue", "work_item"):
        return attributes.iid
    if hook.object_kind == "note" and attributes.noteable_type == "Issue" and attributes.action in (None, "create") and hook.issue:
        return hook.issue.iid
    return None


def _parts(hook: _Hook) -> Iterable[Part]:
    """Where the request stands that may have been put back already before the issue is looked at."""
    if hook.object_kind == "note" or "description" in hook.changes:
        yield Part.NOTES
    if _asks(hook.changes.get("labels")):
        yield Part.LABEL_EVENTS
    if hook.object_attributes.action in ("close", "reopen"):
        yield Part.STATE_EVENTS


def _asks(change: object) -> bool:
    """Whether a label by which people ask for something is among those before or after the change."""
    if not isinstance(change, dict):
        return False
    labels = [label for side in ("previous", "current") for label in change.get(side) or () if isinstance(label, dict)]
    return any(asks(str(label.get("title", ""))) for label in labels)
