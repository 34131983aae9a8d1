"""The rights of those a form speaks of, and the duties of whoever keeps it (UU 27/2022): find, hand out, correct, erase, keep in time.

Whatever changes a case goes its way through the inbox, like all else: this only asks for it, once nothing stands against it.
"""

import io
import json
import secrets
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from integration import codec, forms
from integration.clock import Clock
from integration.codec import Json
from integration.files import FileStore
from integration.procedure.case import Case, fold
from integration.procedure.facts import SERVICE, ErasureOrdered, FormCorrected, Submission
from integration.store import Delivery, Restraint, Store, SubjectRequest
from sync.display import Display

REPORTER, HEAD = "pelapor", "pimpinan"
YEAR = timedelta(days=365.25)
ON_REQUEST, TIME_OVER = "permintaan", "retensi"
"""The grounds on which data is erased: keys of templates/messages/privacy.yaml."""


@dataclass(frozen=True, slots=True)
class Involved:
    """A case that speaks of somebody, and as what: REPORTER, HEAD or both."""

    case: Case
    as_what: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Affected:
    """Somebody whose data a breach may have shown, by their mail address: their name, and of which cases what."""

    email: str
    name: str
    tickets: tuple[str, ...]
    kinds: tuple[str, ...]  # keys of templates/messages/privacy.yaml, "kinds"


@dataclass(frozen=True, slots=True)
class Privacy:
    """What the officer for data protection does by `alur privacy`."""

    store: Store
    files: FileStore
    display: Display
    clock: Clock

    # --- whose data is where ---

    def cases(self) -> Iterator[Case]:
        """Every case whose data is still there, by ticket."""
        tickets = self.store.tickets()
        for entries in self.store.ledgers(tickets):
            case = fold(entries)
            if case is not None and case.erased_at is None:
                yield case

    def involving(self, who: str) -> list[Involved]:
        """The cases whose form names somebody by this mail address, NIP or name, in any version of it."""
        sought = " ".join(who.split()).casefold()
        found = ((case, tuple(as_what for as_what in (REPORTER, HEAD) if sought in _names(case, as_what))) for case in self.cases())
        return [Involved(case, as_what) for case, as_what in found if as_what]

    # --- their rights ---

    def export(self, who: str) -> bytes | None:
        """All that is kept of somebody, as a zip of JSON and files: their forms with attachments, the way of each case, the unit's papers.

        None where nothing is. What others wrote about the work is theirs, and is not in it.
        """
        found = self.involving(who)
        if not found:
            return None
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            about = {"subjek": who, "dibuat": self.clock().isoformat(timespec="seconds"), "perkara": [self._told(each) for each in found]}
            archive.writestr("data.json", json.dumps(about, ensure_ascii=False, indent=1, sort_keys=True))
            for each in found:
                for path, sha256 in self._held(each.case):
                    with suppress(FileNotFoundError):  # an attachment that was only at an address, and never fetched
                        archive.writestr(f"{each.case.ticket}/{path}", self.files.get(each.case.ticket, sha256))
        return packed.getvalue()

    def correct(self, ticket: str, changes: Mapping[str, str]) -> forms.Faults | None:
        """Ask for a correction of what a form says of persons, by the form's own paths; the faults of the new values, else None.

        Raises LookupError for a case whose form is not there.
        """
        case = self._case(ticket)
        now = case.submission
        form = forms.corrected(json.loads(self.files.get(ticket, now.sha256)), changes)
        if isinstance(form, forms.Faults):
            return form
        sha256 = self.files.put(ticket, codec.canonical(form))
        self._ask(ticket, FormCorrected(self._key("correct", ticket), self.clock(), SERVICE, _corrected(now, form, sha256)))
        return None

    def against(self, ticket: str) -> str:
        """Why the data of this case cannot be erased now: a key of templates/messages/privacy.yaml; "" where it can."""
        case = self._case(ticket)
        if case.erased_at:
            return "erased_already"
        if case.ending is None:
            return "still_open"
        if any(one.kind == Restraint.HOLD for one in self.store.restrained(ticket)):
            return "held"
        unfinished = self.store.inbox_rows(lane=ticket, limit=1) or self.store.outbox_rows(lane=ticket, limit=1)
        return "unfinished" if unfinished else ""

    def erase(self, ticket: str, ground: str) -> str:
        """Ask for it; why it cannot be, as `against` says. Raises LookupError."""
        reason = self.against(ticket)
        if not reason:
            self._ask(ticket, ErasureOrdered(self._key("erase", ticket), self.clock(), SERVICE, ground))
        return reason

    def late(self) -> list[SubjectRequest]:
        """Requests whose answer is late."""
        return [request for request in self.store.subject_requests(owed_only=True) if request.due_at <= self.clock()]

    # --- the duties ---

    def over(self) -> list[Case]:
        """Cases whose data is kept longer than the organisation says, and on which nothing holds it."""
        held = {one.ticket for one in self.store.restrained() if one.kind == Restraint.HOLD}
        return [case for case in self.cases() if case.ticket not in held and self._is_over(case)]

    def _is_over(self, case: Case) -> bool:
        years = self.display.organisation.privacy.keeps(case.ending) if case.ending else None
        return years is not None and case.ended_at is not None and case.ended_at + years * YEAR <= self.clock()

    def record(self, links: Mapping[str, str]) -> str:
        """The record of processing (Article 31), as Markdown. `links`: where data goes, by a key of the template."""
        bases: Counter[tuple[str, str]] = Counter()
        for case in self.cases():
            bases[case.submission.basis, case.submission.notice] += 1
        requests = Counter(request.kind for request in self.store.subject_requests())
        return self.display.wording.render(
            "privacy/catatan-pemrosesan.md",
            organisation=self.display.organisation,
            procedures=self.display.procedures,
            performers=sorted({role.name for procedure in self.display.procedures for role in procedure.roles}),
            bases=sorted(bases.items()),
            requests=sorted(requests.items()),
            erased=self.store.erased_cases(),
            restrained=len(self.store.restrained()),
            goes_to=links,
            today=self.clock(),
        )

    def affected(self, chosen: Callable[[Case], bool]) -> list[Affected]:
        """Whose data of the chosen cases was shown, by mail address."""
        people: dict[str, tuple[str, list[str], set[str]]] = {}
        for case in filter(chosen, self.cases()):
            form = case.submission
            for email, name, kinds in (
                (form.reporter_email, form.reporter, ["identitas", "uraian", *(["lampiran"] if form.attachments else [])]),
                (form.head_email, form.head_name, ["identitas", *(["nip"] if form.head_nip else [])]),
            ):
                _, tickets, known = people.setdefault(email.casefold(), (name, [], set()))
                tickets.append(case.ticket)
                known.update(kinds)
        told = sorted(people.items())
        return [Affected(email, name, tuple(dict.fromkeys(of)), tuple(sorted(kinds))) for email, (name, of, kinds) in told]

    def notices(self, people: Sequence[Affected], discovered: datetime, due: datetime) -> dict[str, str]:
        """Drafts by file name: one for the authority, one for each of the affected (Article 46)."""
        said = {"organisation": self.display.organisation, "discovered": discovered, "due": due}
        drafts = {"lembaga.md": self.display.wording.render("privacy/pelanggaran-lembaga.md", people=people, **said)}
        for number, person in enumerate(people, 1):
            drafts[f"subjek-{number:04d}.md"] = self.display.wording.render("privacy/pelanggaran-subjek.md", person=person, **said)
        return drafts

    # --- ---

    def _case(self, ticket: str) -> Case:
        case = fold(self.store.entries(ticket))
        if case is None:
            raise LookupError(ticket)
        return case

    def _ask(self, ticket: str, fact: ErasureOrdered | FormCorrected) -> None:
        self.store.keep(Delivery("clock", fact.key, ticket, codec.fact_bytes(fact)))

    def _key(self, what: str, ticket: str) -> str:
        return f"{what}:{ticket}:{secrets.token_hex(8)}"

    def _told(self, involved: Involved) -> Json:
        """What is kept of one case, for whoever it is about."""
        case, procedure = involved.case, self.display.procedure(involved.case)
        forms = [asdict(form) for form in case.submissions]
        way = [
            {"langkah": procedure.step(p.step).name, "masuk": p.entered_at.isoformat(), "selesai": p.left_at and p.left_at.isoformat()}
            for p in case.history
        ]
        keeps = self.display.organisation.privacy.keeps(case.ending) if case.ending else None
        return {
            "tiket": case.ticket,
            "sebagai": list(involved.as_what),
            "keadaan": case.status.value,
            "formulir": json.loads(json.dumps(forms, default=str)),
            "perjalanan": way,
            "disimpan_tahun": keeps,
        }

    def _held(self, case: Case) -> Iterator[tuple[str, str]]:
        """The files that are somebody's of the unit: path and hash."""
        procedure = self.display.procedure(case)
        for version, form in enumerate(case.submissions, 1):
            yield f"formulir-{version}.json", form.sha256
            for number, file in enumerate(form.attachments, 1):
                yield f"lampiran-{version}-{number}-{file.name.replace('/', '-')}", file.sha256
        for sent in case.sent:
            for number, file in enumerate(sent.attachments, 1):
                yield f"berkas-{sent.step}-{number}-{file.name.replace('/', '-')}", file.sha256
        for paper in case.documents:
            if paper.sha256 and procedure.document(paper.document).reaches_unit(paper.edition):
                yield f"{paper.document}-{paper.version}.pdf", paper.sha256


def _names(case: Case, as_what: str) -> set[str]:
    """By what somebody is known in a case, in lower case."""
    forms = case.submissions
    if as_what == REPORTER:
        known = [name for form in forms for name in (form.reporter, form.reporter_email)]
    else:
        known = [name for form in forms for name in (form.head_name, form.head_email, form.head_nip)]
    return {name.casefold() for name in known if name}


def _corrected(form: Submission, kept: Json, sha256: str) -> Submission:
    reporter, head = kept["pelapor"], kept["unit_kerja"]["pimpinan"]
    return replace(
        form,
        reporter=reporter["nama"],
        reporter_email=reporter["email"],
        head_name=head["nama"],
        head_nip=head["nip"] or "",
        head_title=head["jabatan"],
        head_email=head["email"],
        sha256=sha256,
    )
