"""The people of the model test: everybody who can reach a case, and all that may come to their minds.

Nobody here knows the service from inside but for where a case stands, which its issue says; what the platform refuses is not done.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import requests

from integration import organisation as organisations
from integration.labels import step_label
from integration.procedure.case import Case
from integration.procedure.definition import Channel, Outcome, OutcomeKind, Procedure, SectionKind, Step, Supply
from integration.procedure.offices import Organisation
from integration.projection import project
from sandbox.campus import BOT, DEVELOPER, REPORTER
from sandbox.gitlab import Person, Project
from tests.stories import reshuffles
from tests.stories.reshuffles import SUCCESSOR
from tests.stories.world import World, example_form

OFFICERS = (
    "kasi.layanan",
    "kepala.pustikom",
    "kadiv.layanan",
    "kadiv.pengembangan",
    "kadiv.infrastruktur",
    "koord.programmer",
    "koord.infrastruktur",
)
PROGRAMMERS = ("dimas.pratama", "rizky.maulana", "intan.permata")
MEMBER, STRANGER, OWNER = "staf.pustikom", "orang.luar", "pemilik.proyek"
EVERYBODY = (*OFFICERS, *PROGRAMMERS, MEMBER, STRANGER, OWNER, BOT, BOT)
"""All accounts; the bot's is whoever misuses its token, which no hook tells. The first one is who acts in the simplest example."""

SAID = (
    "Terima kasih, sudah kami baca.",
    "/pos",
    "/pos bantuan",
    "/pos cek",
    "/POS   Cek",
    "/pos setujui",
    "/pos jeda Menunggu data dari unit kerja",
    "/pos jeda",
    "/pos lanjut",
    "/pos darurat Pengisian KRS lumpuh",
    "/pos darurat",
    "/pos alihkan entah ke mana",
    "/pos tugaskan @dimas.pratama @rizky.maulana",
    "/pos tugaskan @intan.permata",
    "/pos tugaskan @kepala.pustikom @orang.luar",
    "/pos tugaskan",
    "/pos akses @dimas.pratama srv-siakad ssh-deploy sampai 2027-12-31",
    "/pos akses @dimas.pratama srv-siakad ssh-deploy sampai 2025-01-31",
    "/pos akses srv-siakad",
    "/pos cabut-akses @dimas.pratama srv-siakad",
    "/pos cabut-akses @dimas.pratama srv-lain",
    "/pos lampir formulir-uji-coba",
    "/pos lampir jadwal",
    "/pos progres 60",
    "/pos progres 140",
    "/pos progres 60\n\n### Tahapan pekerjaan yang telah diselesaikan\nRekap\n\n### Kendala dan solusi\n-\n\n### Dokumentasi pendukung\n-",
    "> /pos setuju",
    "Menurut saya:\n/pos setuju",
    "```\n/pos setuju\n```",
    "/pos setuju\n/pos kembali Belum jelas",
    "/pos selesai\n\nkata sandi: Rahasia-123-Sekali",
    "/label ~status::selesai",
    "/close",
    '/unlabel ~"pos::SI"\n/due 2026-12-24',
    "/assign me",
)
"""What people write, beside the outcomes of the step."""

TYPES = ("incident", "task", "issue")
ODD_LABELS = ("langkah::99 Entah", "langkah::04 Lain", "prioritas::gawat", "status::macet", "peran::Tamu", "milik-saya", "pos::XX")

OF_OWNERS = 50  # the access level of those who may delete issues

Deed = Callable[["People", str, str, int], None]


@dataclass(slots=True)
class People:
    """Those who act in one world. `commands`: their comments that begin with a command, by ticket, which all must be answered."""

    world: World
    commands: dict[int, str] = field(default_factory=dict)
    comments: list[tuple[str, int, str]] = field(default_factory=list)  # who wrote, the comment's id, in which case
    changes: list[tuple[Mapping[str, int], Organisation]] = field(
        default_factory=list
    )  # by ticket: after which entry the office was another
    organisation: Organisation = field(init=False)  # as it was at first
    elsewhere: Project = field(init=False)  # another project, that issues may be moved to

    def arrive(self) -> None:
        """Those the organisation does not name get their accounts."""
        gitlab, campus = self.world.campus.gitlab, self.world.campus
        self.organisation = campus.organisation
        strange = {name: gitlab.user(name, name.replace(".", " ").title()) for name in (MEMBER, STRANGER, OWNER, SUCCESSOR)}
        campus.people |= {**strange, BOT: campus.bot}
        self.elsewhere = gitlab.project("pustikom/lain")
        for account, user in campus.people.items():
            gitlab.member(self.elsewhere, user, DEVELOPER)
            if account in (MEMBER, OWNER, SUCCESSOR):
                gitlab.member(campus.project, user, OF_OWNERS if account == OWNER else REPORTER)

    def person(self, account: str) -> Person:
        """Somebody at the platform."""
        return self.world.person(account)

    def iid(self, ticket: str) -> int:
        """The case's issue. LookupError where it has none yet."""
        case = self.world.case(ticket)
        if case.iid is None:
            raise LookupError(ticket)
        return case.iid

    def say(self, account: str, ticket: str, text: str) -> None:
        """Somebody comments, some seconds after what was done before."""
        self.world.clock.advance(timedelta(seconds=2))
        number = self.person(account).comment(self.world.campus.project, self.iid(ticket), text)
        if number and account != BOT:
            self.comments.append((account, number, ticket))
            if re.match(r"/pos\b", text, re.IGNORECASE):
                self.commands[number] = ticket

    def reorganise(self, choice: int) -> None:
        """The organisation file is changed; what is not decided yet is decided under the new one."""
        world, file, store = self.world, self.world.settings.organisation, self.world.service.store
        today = world.clock().astimezone(world.campus.organisation.calendar.tz).date()
        text = reshuffles.changed(file.read_text(encoding="utf-8"), choice, today)
        draft = file.with_name("rancangan.yaml")
        draft.write_text(text, encoding="utf-8")
        if organisations.check(draft):
            return  # nobody is to start the service on a file with faults
        world.reorganise(text)
        self.changes.append(({ticket: len(store.entries(ticket)) for ticket in store.tickets()}, world.campus.organisation))

    def later(self, ticket: str) -> list[tuple[int, Organisation]]:
        """The organisations that came since the first one, each with the number of the case's last entry before it."""
        return [(entries.get(ticket, 0), organisation) for entries, organisation in self.changes]

    # --- what is asked for ---

    def go_on(self, ticket: str, choice: int) -> None:
        """Whoever the issue names does what the step asks for, and leaves it: mostly forward, mostly with all that is asked for."""
        case = self.world.case(ticket)
        if case.step is None:
            return
        procedure = self.world.service.display.procedure(case)
        step = procedure.step(case.step)
        named = self._named(case, procedure)
        if case.paused_since:
            self.say(self.holder(procedure, "lanjut"), ticket, "/pos lanjut")
        elif step.number == procedure.revises_at:
            self.tell("pengaduan.direvisi", tiket=ticket, formulir=form(choice))
        elif named is not None:
            outcome = _chosen(step, choice)
            account = named or self.recorder(procedure, step, choice)
            if outcome.kind is OutcomeKind.FORWARD and choice % 7:
                self._supply(ticket, case, step, account or self.holder(procedure, "tugaskan"))
            self._leave(ticket, step, outcome, account, choice)

    def _named(self, case: Case, procedure: Procedure) -> str | None:
        """The account the issue asks to act; "" for the unit, None where it names nobody."""
        display, now = self.world.service.display, self.world.clock()
        day = now.astimezone(display.organisation.calendar.tz).date()
        people: Any = project(procedure, display.organisation, case, day).region["people"]
        return str(people[0]["account"]) if people else None

    def holder(self, procedure: Procedure, word: str) -> str:
        """Somebody who may give a command today."""
        return self.world.campus.holder(procedure.authority[word][0])

    def recorder(self, procedure: Procedure, step: Step, choice: int) -> str:
        """Where the unit is to act: now and then a second role records it, from a signed form; "" for the unit."""
        also = [role.role for role in step.also if procedure.role(role.role).channel is Channel.PLATFORM]
        return self.world.campus.holder(also[0]) if also and choice % 3 == 0 else ""

    def _supply(self, ticket: str, case: Case, step: Step, account: str) -> None:
        procedure, wants = self.world.service.display.procedure(case), {r.supply for r in step.requirements}
        gates = {gate.value for gate in step.gates}
        role = procedure.role(step.performer or "")
        if ("team" in gates or Supply.TEAM in wants or role.team) and not case.team:
            self.say(self.holder(procedure, "tugaskan"), ticket, "/pos tugaskan @dimas.pratama @rizky.maulana")
        if ("grant" in gates or Supply.GRANT in wants) and not case.open_grants:
            line = "/pos akses @dimas.pratama srv-siakad ssh-deploy sampai 2027-12-31"
            self.say(self.holder(procedure, "akses"), ticket, line)
        for grant in case.open_grants if "revoked" in gates else ():
            self.say(self.holder(procedure, "cabut-akses"), ticket, f"/pos cabut-akses @{grant.account} {grant.server}")
        if any(also.attachment for also in step.also) and account not in ("", *PROGRAMMERS):
            self.attach(account, ticket)
        if Supply.TICK in wants:
            self.tick_all(account, ticket)

    def tick_all(self, account: str, ticket: str) -> None:
        """Every open box of the checklist, one after the other."""
        iid = self.iid(ticket)
        for box in re.findall(r"^- \[ \] (.+)$", self._description(account, ticket), re.MULTILINE):
            self.world.clock.advance(timedelta(seconds=2))
            self.person(account).tick(self.world.campus.project, iid, box[:40])

    def attach(self, account: str, ticket: str) -> None:
        """The signed form of the trial."""
        upload = self.person(account).upload(self.world.campus.project, "formulir.pdf", b"%PDF-1.7 bertanda tangan")
        self.say(account, ticket, f"/pos lampir formulir-uji-coba\n\n{upload}")

    def _leave(self, ticket: str, step: Step, outcome: Outcome, account: str, choice: int) -> None:
        case = self.world.case(ticket)
        procedure = self.world.service.display.procedure(case)
        reason = "Mohon diperbaiki lebih dahulu." if outcome.needs_reason else ""
        duty = procedure.duty
        if not account:
            self.answer(ticket, outcome.word, reason or "Baik.")
        elif duty and (step.number, outcome.word) == (duty.step, duty.outcome):
            self.say(account, ticket, SAID[25].replace("60", "100"))
        elif outcome.to and not outcome.needs_reason and not step.sections and choice % 2:
            self.world.clock.advance(timedelta(seconds=2))
            here, there = step_label(step), step_label(procedure.step(outcome.to))
            self.person(account).drag(self.world.campus.project, self.iid(ticket), here, there)
        else:
            self.say(account, ticket, "\n\n".join([f"/pos {outcome.word} {reason}", *self._written(step, outcome)]))

    def _written(self, step: Step, outcome: Outcome) -> list[str]:
        if outcome.needs_reason:
            return []
        texts = {SectionKind.DATE: (self.world.clock() + timedelta(days=9)).date().isoformat(), SectionKind.PRIORITY: "tinggi"}
        return [f"### {section.title}\n{texts.get(section.kind, 'Telah diperiksa.')}" for section in step.sections]

    # --- the portal ---

    def tell(self, kind: str, **data: object) -> None:
        """The portal sends a message."""
        self.world.clock.advance(timedelta(seconds=2))
        self.world.campus.portal.send(kind, data).raise_for_status()

    def answer(self, ticket: str, word: str, remark: str) -> None:
        """The unit judges the trial or answers the handover."""
        kind = "uji_coba.dinilai" if word in ("lulus", "gagal") else "serah_terima.ditanggapi"
        self.tell(kind, tiket=ticket, hasil=word, catatan=remark, oleh="Dekan")

    def portal(self, ticket: str, choice: int) -> None:
        """The unit does something, whether or not anybody waits for it."""
        word = ("revisi", "lulus", "gagal", "terima", "tolak-fungsi", "tolak-dokumen", "batal")[choice % 7]
        if word == "revisi":
            self.tell("pengaduan.direvisi", tiket=ticket, formulir=form(choice))
        elif word != "batal":
            self.answer(ticket, word, "" if choice % 2 else "Catatan unit kerja.")
        elif choice % 3 == 0:
            self.tell("pengaduan.dibatalkan", tiket=ticket, alasan="Sudah teratasi sendiri", oleh="Dekan")

    # --- what comes to people's minds ---

    def act(self, deed: str, account: str, ticket: str, choice: int) -> None:
        """One of DEEDS by somebody."""
        self.world.clock.advance(timedelta(seconds=2))
        self.try_(lambda: DEEDS[deed](self, account, ticket, choice))

    def try_(self, deed: Callable[[], None]) -> None:
        """What the platform does not let them do, or does not find, is not done."""
        try:
            deed()
        except (requests.HTTPError, requests.ConnectionError, LookupError):
            return

    def named(self, ticket: str) -> str:
        """Somebody who is to act; whoever misuses the bot's token, where that is nobody with an account."""
        case = self.world.case(ticket)
        return self._named(case, self.world.service.display.procedure(case)) or BOT

    def outcome(self, account: str, ticket: str, choice: int) -> None:
        """Any outcome of any step, with or without what it asks for."""
        case = self.world.case(ticket)
        procedure = self.world.service.display.procedure(case)
        steps = procedure.steps[procedure.opens_at - 1 :]
        step = procedure.step(case.step) if case.step in {s.number for s in steps} and choice % 4 else steps[choice % len(steps)]
        outcome = step.outcomes[choice % len(step.outcomes)]
        reason = "Belum sesuai." if choice % 3 else ""
        self.say(account, ticket, "\n\n".join([f"/pos {outcome.word} {reason}".strip(), *self._written(step, outcome)[: choice % 5]]))

    def write(self, account: str, ticket: str, choice: int) -> None:
        """Something else in a comment; after the list is through, the case is handed to another procedure."""
        self.say(account, ticket, SAID[choice % len(SAID)])

    def hand_off(self, account: str, ticket: str, choice: int) -> None:
        """The case is handed to a related procedure; seldom, or none would come far."""
        if choice % 4 == 0:
            self.say(account, ticket, f"/pos alihkan {choice} Bukan masalah teknis" if choice % 3 else "/pos alihkan 3")

    def rewrite(self, account: str, ticket: str, choice: int) -> None:
        """Their own last comment is edited into a command, or deleted."""
        own = [(number, about) for who, number, about in self.comments if who == account and about == ticket]
        if own:
            number, _ = own[choice % len(own)]
            self.commands.pop(number, None)
            person, project_, iid = self.person(account), self.world.campus.project, self.iid(ticket)
            if choice % 3 == 0:
                person.delete_comment(project_, iid, number)
                self.world.clock.advance(timedelta(seconds=61))  # a comment in the place of another moves nothing sooner (behaviour.md 4)
            else:
                person.edit_comment(project_, iid, number, "/pos setuju" if choice % 2 else "Maaf, salah tulis.")

    def relabel(self, account: str, ticket: str, choice: int) -> None:
        """Labels on and off: of our families or others, one or several at once."""
        every = sorted(label for label in self.world.label_names() if "::" in label) + list(ODD_LABELS)
        held = sorted(self._labels(account, ticket))
        on = (every[(7 * choice) % len(every)], every[(13 * choice) % len(every)])
        off = (held[choice % len(held)],) if held else ()
        ways = ((on[:1], ()), ((), off), (on, ()), (on[:1], off), ((), tuple(held)))
        add, remove = ways[choice % len(ways)]
        self.person(account).label(self.world.campus.project, self.iid(ticket), add=add, remove=remove)

    def move(self, account: str, ticket: str, choice: int) -> None:
        """The card goes to some column, with or without leaving its own, or to two at once."""
        procedure = self.world.procedure
        steps = [step for step in procedure.steps if step.number >= procedure.opens_at]
        here = next((label for label in self._labels(account, ticket) if label.startswith("langkah::")), "")
        current = next((at for at, step in enumerate(steps) if step_label(step) == here), 0)
        to = step_label(steps[(current + (1, -1, 2, choice)[choice % 4]) % len(steps)])
        also = (step_label(steps[choice % len(steps)]),) if choice % 5 == 0 else ()
        remove = (here,) if here and choice % 3 else ()
        self.person(account).label(self.world.campus.project, self.iid(ticket), add=(to, *also), remove=remove)

    def prioritise(self, account: str, ticket: str, choice: int) -> None:
        """Another priority's label, in the place of the one there is or beside it."""
        word = ("rendah", "sedang", "tinggi", "kritis", "gawat")[choice % 5]
        held = tuple(label for label in self._labels(account, ticket) if label.startswith("prioritas::"))
        add = (f"prioritas::{word}",) if choice % 7 else ()
        self.person(account).label(self.world.campus.project, self.iid(ticket), add=add, remove=held if choice % 2 else ())

    def tick(self, account: str, ticket: str, choice: int) -> None:
        """A box is ticked or cleared; or all are ticked."""
        if choice % 3 == 0:
            self.tick_all(account, ticket)
            return
        boxes = re.findall(r"^- \[[ x]\] (.+)$", self._description(account, ticket), re.MULTILINE)
        if boxes:
            iid = self.iid(ticket)
            self.person(account).tick(self.world.campus.project, iid, boxes[choice % len(boxes)][:40], done=choice % 3 == 1)

    def shut(self, account: str, ticket: str, choice: int) -> None:
        """The issue is closed or reopened."""
        person, iid = self.person(account), self.iid(ticket)
        (person.close if choice % 2 == 0 else person.reopen)(self.world.campus.project, iid)

    def change(self, account: str, ticket: str, choice: int) -> None:
        """A field that is the service's to say."""
        person, here, iid = self.person(account), self.world.campus.project, self.iid(ticket)
        day = (self.world.clock() + timedelta(days=choice - 30)).date()
        match choice % 9:
            case 0:
                person.rename(here, iid, "Judul lain" if choice % 2 else f"[{ticket}]")
            case 1:
                person.due(here, iid, day)
            case 2:
                person.due(here, iid, None)
            case 3:
                person.assign(here, iid, None)
            case 4:
                person.publish(here, iid)
            case 5:
                person.lock(here, iid, choice % 2 == 0)
            case 6:
                person.convert(here, iid, TYPES[choice % len(TYPES)])
            case 7:
                person.bulk_edit(here, self._all_iids(), add_labels="status::selesai", assignee_ids=[0])
            case _:
                person.assign(here, iid, EVERYBODY[choice % len(EVERYBODY)])

    def destroy(self, account: str, ticket: str, choice: int) -> None:
        """What is hard to put right: a label of the project renamed, deleted or promoted; the issue moved away or deleted."""
        person, here, iid = self.person(account), self.world.campus.project, self.iid(ticket)
        ours = sorted(label for label in self._labels(account, ticket) if "::" in label)
        label = ours[choice % len(ours)] if ours else "status::berjalan"
        match choice % 5:
            case 0:
                person.rename_label(here, label, f"{label} lama")
            case 1:
                person.delete_label(here, label)
            case 2:
                person.promote_label(here, label)
            case 3:
                person.move(here, iid, self.elsewhere)
            case _:
                person.delete(here, iid)
                self.commands = {number: about for number, about in self.commands.items() if about != ticket}

    def describe(self, account: str, ticket: str, choice: int) -> None:
        """The description is rewritten: text around the region, half of it, all of it twice, nothing left, its boxes set by hand."""
        text = self._description(account, ticket)
        half = len(text) // 2
        texts = (
            f"Catatan kami.\n\n{text}",
            text[:half],
            text[half:],
            f"{text}\n\n{text}",
            "",
            text.replace("- [ ]", "- [x]"),
            text.replace("<!-- alur:mulai -->", ""),
            text.replace("<!-- alur:selesai -->", "", 1),
            f"{text}\n\n/pos setuju",
        )
        self.person(account).describe(self.world.campus.project, self.iid(ticket), texts[choice % len(texts)])

    def _all_iids(self) -> list[int]:
        cases = (self.world.case(ticket) for ticket in self.world.service.store.tickets())
        return [case.iid for case in cases if case.iid is not None]

    def _labels(self, account: str, ticket: str) -> set[str]:
        return set(self._issue(account, ticket)["labels"])

    def _description(self, account: str, ticket: str) -> str:
        return str(self._issue(account, ticket)["description"])

    def _issue(self, account: str, ticket: str) -> Mapping[str, Any]:
        """The issue as this person sees it. HTTPError where they do not."""
        campus = self.world.campus
        address = f"{campus.gitlab.url}/api/v4/projects/{campus.project.id}/issues/{self.iid(ticket)}"
        answer = requests.get(address, headers={"PRIVATE-TOKEN": self.person(account).user.token}, timeout=30)
        answer.raise_for_status()
        shown: Mapping[str, Any] = answer.json()
        return shown


DEEDS: Mapping[str, Deed] = MappingProxyType(
    {
        "outcome": People.outcome,
        "write": People.write,
        "hand_off": People.hand_off,
        "rewrite": People.rewrite,
        "relabel": People.relabel,
        "move": People.move,
        "prioritise": People.prioritise,
        "tick": People.tick,
        "shut": People.shut,
        "change": People.change,
        "describe": People.describe,
        "destroy": People.destroy,
    }
)


def form(choice: int) -> dict[str, Any]:
    """A complaint, a little different each time."""
    filled = example_form()
    urgency = ("rendah", "sedang", "tinggi", "kritis")[choice % 4]
    return {**filled, "masalah": {**filled["masalah"], "urgensi": urgency, "uraian": f"Nilai tidak tersimpan, kejadian ke-{choice}."}}


def _chosen(step: Step, choice: int) -> Outcome:
    """Mostly the way forward, now and then another way out; a case is seldom refused for good."""
    forward = next(outcome for outcome in step.outcomes if outcome.kind is OutcomeKind.FORWARD)
    other = step.outcomes[choice % len(step.outcomes)]
    return forward if choice % 5 or (other.word == "tolak" and choice % 3) else other
