"""Signed copies of papers: who may hand one in, in which order, and from when on one is the version of record.

Nothing waits for a signature: a paper counts by how its step was left, and a signed copy is told beside it.
"""

from dataclasses import replace

from integration.procedure import contexts
from integration.procedure.case import Paper
from integration.procedure.definition import Procedure
from integration.procedure.draft import Draft
from integration.procedure.events import DocumentSigned, Missing
from integration.procedure.facts import Copy, Finding, SignedCopyGiven
from integration.procedure.guards import Code, Refusal
from integration.procedure.lines import FOR_OTHERS, sign_line
from integration.procedure.offices import Organisation, Provider
from integration.procedure.papers import Signing, Standing, signed_paper, signers, standing, to_sign
from integration.procedure.people import Performer, Situation, authority, capacity, people

SIGN = "sign"
"""What was asked, where nobody typed a word."""


def asks_for_copies(procedure: Procedure, organisation: Organisation, document: str) -> bool:
    """Whether a file of this type that somebody attaches is a signed copy: a paper of the service, signed by the provider chosen."""
    kind = next((kind for kind in procedure.documents if kind.slug == document), None)
    return kind is not None and bool(kind.signatures) and organisation.papers.provider is not None


def signed_copy_given(draft: Draft, fact: SignedCopyGiven) -> None:
    """A signed copy came: it is the next one of its paper, or it is refused. Also after the end: the last paper is made by it."""
    weighed = _weigh(draft.situation, fact)
    if isinstance(weighed, Refusal):
        draft.refuse(f"{SIGN}:{fact.document}", weighed)
    else:
        _record(draft, fact.provider, *weighed)


def _weigh(s: Situation, fact: SignedCopyGiven) -> tuple[Paper, Signing, Copy] | Refusal:
    """The copy, whose signature it has and of which paper; the reason, where it is not taken."""
    paper = next((paper for paper in s.case.documents if paper.id == fact.paper), None)
    against = _not_to_be_signed(s, fact.document, paper)
    if paper is None or against:
        return against or Refusal(Code.NOTHING_TO_SIGN)
    signing = whose(s, paper, fact.signer, live=fact.provider == Provider.BSRE)
    if isinstance(signing, Refusal):
        return signing
    waiting = to_sign(s.procedure, s.case, paper)
    if signing not in waiting:
        following = [Missing("signer", one.capacity) for one in waiting]
        return replace(_refusal(s, paper, Code.ALREADY_SIGNED, waiting[0] if waiting else None), missing=tuple(following))
    if signing != waiting[0]:
        return replace(_refusal(s, paper, Code.OUT_OF_TURN, waiting[0]), missing=(Missing("signer", waiting[0].capacity),))
    if fact.finding is Finding.SOUND and fact.copy is not None:
        return paper, signing, fact.copy
    if fact.finding is Finding.PAPER_VOID:
        return Refusal(Code.PAPER_VOID)
    known = Finding.ONE_FILE if fact.finding in (Finding.UNSEEN, Finding.SOUND) else fact.finding
    return _refusal(s, paper, Code(known.value), signing)


def whose(s: Situation, paper: Paper, said: str, *, live: bool = False) -> Signing | Refusal:
    """Whose signature a copy has, by what was `said` and who hands it in; of others only where that may be (`live`: never).

    Whoever signs hands in their own without saying so; who may do it for others says whose it is, unless one signs alone.
    """
    asked = signers(s.procedure, s.case, paper)
    own = next((one for one in asked if one.by is not None and one.by.account == s.by.account), None)
    for_others = not live and capacity(s, authority(s.procedure, FOR_OTHERS)) is not None
    if not said and (own or (for_others and len(asked) == 1)):
        return own or asked[0]
    named = next((one for one in asked if f"{said}-".startswith(f"{one.role}-")), None)  # a remark may follow
    if own is None and not for_others:
        return _refusal(s, paper, Code.NOT_SIGNER, asked[0])
    if named is None:
        refusal = _refusal(s, paper, Code.WHOSE_SIGNATURE, *_first_to_sign(s, paper))
        return replace(refusal, missing=tuple(Missing("signer", one.role) for one in asked))
    return named if for_others or named == own else _refusal(s, paper, Code.NOT_SIGNER, named)


def _not_to_be_signed(s: Situation, document: str, paper: Paper | None) -> Refusal | None:
    """Why this paper takes no signed copy: there is none that asks for one, or another version counts."""
    current = signed_paper(s.procedure, s.case, document)
    if paper is not None and standing(s.procedure, s.case, paper) is Standing.SUPERSEDED:
        return _refusal(s, current, Code.NOT_CURRENT, *_first_to_sign(s, current)) if current else Refusal(Code.NOT_CURRENT)
    return None if paper is not None and paper == current else Refusal(Code.NOTHING_TO_SIGN)


def _first_to_sign(s: Situation, paper: Paper) -> tuple[Signing, ...]:
    return to_sign(s.procedure, s.case, paper)[:1]


def _refusal(s: Situation, paper: Paper, code: Code, signing: Signing | None = None) -> Refusal:
    """A refusal that names who hands in the copy that is waited for, and the line by which they do; no `signing`: nobody waits."""
    if signing is None:
        return Refusal(code)
    several = len(signers(s.procedure, s.case, paper)) > 1
    return Refusal(code, (), may_hand_in(s, signing), sign_line(paper.document, signing.role if several else ""))


def may_hand_in(s: Situation, signing: Signing) -> tuple[Performer, ...]:
    """Who may hand in a copy with this signature: whoever signs, where they have an account, and who may do it for others."""
    role = s.procedure.role(signing.role).name
    own = [Performer(signing.by.account, signing.by.name or signing.by.account, role)] if signing.by else []
    return (*own, *(person for person in people(s, authority(s.procedure, FOR_OTHERS)) if person.account not in {p.account for p in own}))


def _record(draft: Draft, provider: str, paper: Paper, signing: Signing, copy: Copy) -> None:
    remaining = to_sign(draft.procedure, draft.case, paper)[1:]
    draft.record(
        DocumentSigned(
            paper.id,
            signing.role,
            signing.capacity,
            provider,
            not remaining,
            copy.sha256,
            copy.size,
            copy.media_type,
            copy.link,
            copy.certificate,
        )
    )
    if not copy.link:
        draft.upload_signed(paper.id, copy.sha256)
    said = {
        "document": draft.procedure.document(paper.document).title,
        "number": paper.number,
        "version": paper.version,
        "signer": signing.capacity,
        "provider": provider,
        "certificate": copy.certificate,
        "by": contexts.name_of(draft.situation),
        "next": remaining[0].capacity if remaining else "",
        "line": sign_line(paper.document, remaining[0].role) if remaining else "",
        "may_act": contexts.persons(may_hand_in(draft.situation, remaining[0])) if remaining else [],
    }
    draft.note("tanda-tangan", said)
