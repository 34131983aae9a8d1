"""Everything people can do to an issue that is not the way: the case stands where it stood, and whoever did it is told what and why.

Each story is told twice: found by its hook, and with every hook lost, by one sweep. All play in one world, with a bystander whose case
must never move.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
import requests

from integration.issue import differing
from integration.procedure.case import Case
from integration.templates import messages
from sandbox.gitlab import Level, Person
from sandbox.gitlab.entities import Project
from tests.stories.world import World
from tests.stories.world import world as told
from tests.tables import laid

MOMENT = timedelta(seconds=10)
KASI, KEPALA, KADIV, INFRA, PROGRAMMER = "kasi.layanan", "kepala.pustikom", "kadiv.layanan", "kadiv.infrastruktur", "rizky.maulana"
STRANGER = "orang.luar"  # a member of the project without any office
STEP_4, STEP_5, STEP_9 = (
    "langkah::04 Pemeriksaan",
    "langkah::05 Persetujuan Kepala Pustikom",
    "langkah::09 Koordinasi ke Koordinator Programmer",
)
LENGKAP = "/pos lengkap\n\n### Hasil analisis awal\nGalat.\n\n### Urgensi\nTinggi.\n\n### Dampak\nUnit."


@dataclass
class Scene:
    """One case at step 4 in the common world, and what somebody does to it."""

    world: World
    ticket: str
    bystander: str
    project: Project
    iid: int
    before: Case
    labels: set[str]

    def person(self, account: str) -> Person:
        """Somebody who has looked at the issue for a moment."""
        self.world.clock.advance(MOMENT)
        return self.world.person(account)

    @property
    def case(self) -> Case:
        return self.world.case(self.ticket)

    @property
    def notes(self) -> list[str]:
        """What the service said on the case's issue, oldest first."""
        notes = self.world.service.platform()
        rows = notes.get(f"{notes.project}/issues/{self.case.iid}/notes", {"sort": "asc", "per_page": 100})
        return [row["body"] for row in rows if row["author"]["username"] == "alur-pos" and not row["system"]]

    @property
    def description(self) -> str:
        return str(self.world.campus.issue(self.ticket)["description"])

    def found(self, *, by_hook: bool) -> None:
        """The service has found out: by the hook, or by one sweep where none came."""
        self.world.settle()
        if not by_hook:
            self.world.sweep()
        self.world.settle()

    def stands(self) -> None:
        """The case stands where it stood, and so does everybody else's; the issues are what the ledger says; nothing waits."""
        assert position(self.case) == position(self.before)
        self.right()

    def right(self) -> None:
        store = self.world.service.store
        assert [*store.inbox_rows(lane=self.ticket), *store.outbox_rows(lane=self.ticket)] == []
        for ticket in (self.ticket, self.bystander):
            case, platform = self.world.case(ticket), self.world.service.platform()
            assert case.iid is not None
            seen = platform.issue(case.iid)
            assert differing(self.world.service.display.issue(case, self.world.clock(), seen.description), seen) == frozenset()
            assert not seen.moved
        assert self.world.case(self.bystander).step == 4

    def was_told(self, account: str, *words: str) -> None:
        """The last note speaks to this person, in these words."""
        note = self.notes[-1]
        for word in (f"@{account}", *words):
            assert word in note, f"{word!r} is not in:\n{note}"


def position(case: Case) -> tuple[object, ...]:
    return case.step, case.entered_seq, case.due, case.priority, case.team, case.ticks, case.ending, case.round


def drift(word: str) -> str:
    """How a note says that this was put back."""
    return messages("drift")[word].partition("{")[0]


def refusal(code: str) -> str:
    """How a note says why this is refused."""
    return messages("refusals")[code]


@pytest.fixture(scope="module")
def common(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("dunia")
    with told(folder, laid(f"sqlite:///{folder / 'alur.db'}")) as world:
        campus = world.campus
        campus.people[STRANGER] = campus.gitlab.user(STRANGER, "Orang Luar")
        campus.gitlab.member(campus.project, campus.people[STRANGER], Level.REPORTER)
        yield world


@pytest.fixture(scope="module")
def bystander(common: World) -> str:
    return common.submit()


@pytest.fixture(params=[True, False], ids=["hook", "sweep"])
def by_hook(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def scene(common: World, bystander: str) -> Iterator[Scene]:
    common.sweep()
    ticket = common.submit()
    case = common.case(ticket)
    assert case.iid is not None
    common.clock.advance(MOMENT)
    yield Scene(common, ticket, bystander, common.campus.project, case.iid, case, common.campus.labels(ticket))
    common.campus.gitlab.hooks_lost = 0.0


# --- labels themselves, of which no hook ever tells ---


def test_a_renamed_label_has_its_name_again_after_one_sweep(scene: Scene) -> None:
    scene.person(KASI).rename_label(scene.project, STEP_4, "Pemeriksaan saya")
    assert "Pemeriksaan saya" in scene.world.campus.labels(scene.ticket)

    scene.world.sweep()

    scene.stands()
    assert "Pemeriksaan saya" not in scene.world.campus.label_names()
    assert scene.notes == []  # every issue is right at once, and GitLab says of nobody that it was theirs


def test_a_merged_label_serves_as_before(scene: Scene) -> None:
    scene.person(KASI).promote_label(scene.project, "status::dijeda")

    scene.world.sweep()
    scene.world.comment(KEPALA, scene.ticket, "/pos jeda menunggu data")

    scene.right()
    assert "status::dijeda" in scene.world.campus.labels(scene.ticket)


def test_a_deleted_label_is_there_again_after_one_sweep_and_told(scene: Scene) -> None:
    scene.person(KASI).delete_label(scene.project, STEP_4)
    assert STEP_4 not in scene.world.campus.labels(scene.ticket)

    scene.world.sweep()

    scene.stands()
    assert drift("step") in scene.notes[-1]


# --- what people do to an issue ---

Deed = Callable[[Scene], object]


@dataclass(frozen=True)
class Misuse:
    """What somebody does, and the sentences it is answered with."""

    name: str
    deed: Deed
    told: tuple[str, ...]
    by: str = INFRA


def label(*add: str, remove: tuple[str, ...] = (), by: str = INFRA) -> Deed:
    return lambda scene: scene.person(by).label(scene.project, scene.iid, add=add, remove=remove)


def describe(change: Callable[[str], str]) -> Deed:
    return lambda scene: scene.person(INFRA).describe(scene.project, scene.iid, change(scene.description))


def region(text: str) -> str:
    return text[text.index("<!-- alur:mulai -->") :]


def moved(scene: Scene) -> None:
    archive = scene.world.campus.gitlab.project(f"pustikom/arsip-{scene.iid}")
    scene.world.campus.gitlab.member(archive, scene.world.campus.people[INFRA], Level.REPORTER)
    scene.person(INFRA).move(scene.project, scene.iid, archive)


MISUSES = (
    Misuse("two step labels", label(STEP_5, STEP_9), (refusal("two_labels"),)),
    Misuse("a step without a way", label(STEP_9, remove=(STEP_4,)), ("09", refusal("label_no_way"))),
    Misuse("the step's label removed", label(remove=(STEP_4,)), (drift("step"),)),
    Misuse("a step that does not exist", label("langkah::99 Entah"), ("99",)),
    Misuse("a step label without a number", label("langkah::besok"), (drift("step"),)),
    Misuse("a second status", label("status::selesai"), (drift("status"),)),
    Misuse("another role", label("peran::Kepala Pustikom"), (drift("role"),)),
    Misuse("the procedure's label removed", label(remove=("pos::SI",)), (drift("procedure"),)),
    Misuse("priority without the right", label("prioritas::rendah"), (refusal("not_yours"), "prioritas")),
    Misuse("a priority that does not exist", label("prioritas::gawat", by=KASI), (refusal("no_such_priority"),), KASI),
    Misuse("the priority's label removed", lambda s: label(remove=(f"prioritas::{s.before.priority}",))(s), (drift("priority"),)),
    Misuse("assignee cleared", lambda s: s.person(INFRA).assign(s.project, s.iid, None), (drift("assignee"),)),
    Misuse("assignee a stranger", lambda s: s.person(INFRA).assign(s.project, s.iid, STRANGER), (drift("assignee"),)),
    Misuse("due date changed", lambda s: s.person(INFRA).due(s.project, s.iid, date(2030, 1, 1)), (drift("due"),)),
    Misuse("region edited", describe(lambda t: t.replace("Langkah 04", "Langkah 31")), (drift("region"),)),
    Misuse("region half deleted", describe(lambda t: t[: t.index("#### Kelengkapan")]), (drift("region"),)),
    Misuse("region duplicated", describe(lambda t: f"{region(t)}\n\n{t}"), (drift("region"),)),
    Misuse("description emptied", describe(lambda _: "Saya hapus."), (drift("region"),)),
    Misuse("title changed", lambda s: s.person(INFRA).rename(s.project, s.iid, "Judul lain"), (drift("title"),)),
    Misuse("made public", lambda s: s.person(INFRA).publish(s.project, s.iid), (drift("confidential"),)),
    Misuse("locked", lambda s: s.person(INFRA).lock(s.project, s.iid), (drift("locked"),)),
    Misuse("moved", moved, (drift("moved"),)),
    Misuse("converted to a task", lambda s: s.person(INFRA).convert(s.project, s.iid, "task"), (drift("type"),)),
    Misuse("converted to an incident", lambda s: s.person(INFRA).convert(s.project, s.iid, "incident"), (drift("type"),)),
    Misuse("closed early", lambda s: s.person(INFRA).close(s.project, s.iid), (refusal("close_not_allowed"),)),
)


@pytest.mark.parametrize("misuse", MISUSES, ids=lambda misuse: misuse.name)
def test_it_is_put_back_and_told(scene: Scene, misuse: Misuse, *, by_hook: bool) -> None:
    scene.world.campus.gitlab.hooks_lost = 0.0 if by_hook else 1.0

    misuse.deed(scene)
    scene.found(by_hook=by_hook)

    scene.stands()
    scene.was_told(misuse.by, *misuse.told)
    assert scene.world.campus.labels(scene.ticket) == scene.labels
    assert len(scene.notes) == 1


def test_a_box_that_the_case_itself_keeps_is_set_again_and_says_so(scene: Scene, *, by_hook: bool) -> None:
    scene.world.campus.gitlab.hooks_lost = 0.0 if by_hook else 1.0

    scene.person(KASI).tick(scene.project, scene.iid, "4.1", done=False)
    scene.found(by_hook=by_hook)

    scene.stands()
    scene.was_told(KASI, "butir 4.1", refusal("not_tickable"))
    assert len(scene.notes) == 1


def test_what_was_changed_along_with_a_refused_request_is_told_too(scene: Scene, *, by_hook: bool) -> None:
    scene.world.campus.gitlab.hooks_lost = 0.0 if by_hook else 1.0
    edits = {"state_event": "close", "title": "Selesai", "confidential": False, "due_date": "2030-01-01", "add_labels": ["status::selesai"]}

    scene.person(INFRA).bulk_edit(scene.project, [scene.iid], **edits)
    scene.found(by_hook=by_hook)

    scene.stands()
    closed, mended = scene.notes
    assert refusal("close_not_allowed") in closed
    scene.was_told(INFRA, *map(drift, ("title", "confidential", "due", "status")))
    assert drift("state") not in mended


def test_what_was_changed_along_with_a_command_is_told_too(scene: Scene) -> None:
    scene.world.campus.gitlab.hooks_lost = 1.0

    scene.person(KASI).comment(scene.project, scene.iid, LENGKAP)
    scene.person(INFRA).rename(scene.project, scene.iid, "Judul lain")
    scene.found(by_hook=False)

    assert scene.case.step == 5
    scene.right()
    scene.was_told(INFRA, drift("title"))


def test_of_a_half_deleted_or_doubled_region_nothing_is_left_beside_the_right_one(scene: Scene) -> None:
    whole = scene.description
    for change in (lambda t: t[: t.index("#### Kelengkapan")], lambda t: f"{region(t)}\n\n{t}"):
        describe(change)(scene)
        scene.found(by_hook=True)
        lines = [line for line in scene.description.splitlines() if line.strip()]
        assert sorted(lines) == sorted(line for line in whole.splitlines() if line.strip())


def test_a_description_filled_to_the_brim_holds_nothing_up_and_is_right_again_once_there_is_room(scene: Scene) -> None:
    whole = scene.description
    filling = "x" * (2**20 - len(whole.encode()) - 2)
    describe(lambda text: f"{filling}\n\n{text}")(scene)
    scene.found(by_hook=True)

    scene.world.comment(KASI, scene.ticket, LENGKAP)
    assert STEP_5 in scene.world.campus.labels(scene.ticket)
    assert scene.notes[-1].startswith("**Langkah 05")

    describe(lambda _: whole)(scene)
    scene.found(by_hook=True)
    assert "**Langkah 05 dari 31" in scene.description
    scene.right()


def test_people_s_own_labels_and_text_are_theirs(scene: Scene, *, by_hook: bool) -> None:
    scene.world.campus.gitlab.hooks_lost = 0.0 if by_hook else 1.0

    label("penting", "tim::depan")(scene)
    describe(lambda text: f"Catatan kami.\n\n{text}")(scene)
    scene.found(by_hook=by_hook)

    scene.stands()
    assert scene.world.campus.labels(scene.ticket) == scene.labels | {"penting", "tim::depan"}
    assert scene.description.startswith("Catatan kami.")
    assert scene.notes == []


def test_a_priority_by_someone_with_the_right_counts(scene: Scene, *, by_hook: bool) -> None:
    scene.world.campus.gitlab.hooks_lost = 0.0 if by_hook else 1.0

    label("prioritas::kritis", by=KASI)(scene)
    scene.found(by_hook=by_hook)

    assert (scene.case.step, scene.case.priority) == (4, "kritis")
    scene.right()
    assert "**Prioritas perkara ditetapkan menjadi kritis**" in scene.notes[-1]


# --- the issue itself ---


def test_a_deleted_issue_is_replaced_after_one_sweep(scene: Scene) -> None:
    scene.world.campus.gitlab.member(scene.project, scene.world.campus.people[INFRA], Level.OWNER)
    scene.person(INFRA).delete(scene.project, scene.iid)

    scene.world.sweep()

    scene.stands()
    assert scene.case.iid != scene.iid
    assert f"menggantikan tiket nomor {scene.iid}" in scene.notes[-1]
    scene.world.comment(KASI, scene.ticket, LENGKAP)
    assert scene.case.step == 5


def test_an_issue_reopened_after_the_end_is_closed_again(scene: Scene, *, by_hook: bool) -> None:
    scene.world.portal("pengaduan.dibatalkan", tiket=scene.ticket, alasan="Sudah selesai sendiri.", oleh="Dekan")
    ended = position(scene.case)
    scene.world.campus.gitlab.hooks_lost = 0.0 if by_hook else 1.0

    scene.person(INFRA).reopen(scene.project, scene.iid)
    scene.found(by_hook=by_hook)

    assert position(scene.case) == ended
    assert scene.world.campus.issue(scene.ticket)["state"] == "closed"
    scene.right()
    scene.was_told(INFRA, refusal("reopen_not_allowed"))


def test_a_bulk_edit_of_fifty_issues_is_undone_on_every_one(common: World, bystander: str) -> None:
    tickets = [common.submit() for _ in range(50)]
    cases = {ticket: common.case(ticket) for ticket in tickets}
    iids = [case.iid for case in cases.values() if case.iid]
    edits = ({"add_labels": ["status::selesai"], "remove_labels": ["status::berjalan"]}, {"due_date": "2030-01-01"})
    for word, lost, edit in zip(("status", "due"), (0.0, 1.0), edits, strict=True):
        common.sweep()
        common.clock.advance(MOMENT)
        common.campus.gitlab.hooks_lost = lost

        common.person(INFRA).bulk_edit(common.campus.project, iids, **edit)
        common.settle()
        if lost:
            common.sweep()

        common.campus.gitlab.hooks_lost = 0.0
        for ticket, case in cases.items():
            scene = Scene(common, ticket, bystander, common.campus.project, case.iid or 0, case, set())
            scene.stands()
            scene.was_told(INFRA, drift(word))


# --- commands ---


def test_a_command_by_someone_without_an_office_is_refused(scene: Scene, *, by_hook: bool) -> None:
    scene.world.campus.gitlab.hooks_lost = 0.0 if by_hook else 1.0

    scene.person(STRANGER).comment(scene.project, scene.iid, LENGKAP)
    scene.found(by_hook=by_hook)

    scene.stands()
    assert refusal("not_yours") in scene.notes[-1]
    assert "Dewi Lestari" in scene.notes[-1]


def test_a_command_by_someone_who_is_no_member_is_refused_where_the_platform_lets_it_be_written(scene: Scene, *, by_hook: bool) -> None:
    gitlab = scene.world.campus.gitlab
    owner = gitlab.act(gitlab.user(f"pengelola-{scene.iid}", "Pengelola GitLab", admin=True))
    guest = gitlab.act(gitlab.user(f"tamu-{scene.iid}", "Tamu"))
    for visibility in ("private", "internal"):
        owner.set_visibility(scene.project, visibility)
        with pytest.raises(requests.HTTPError, match="404"):
            guest.comment(scene.project, scene.iid, LENGKAP)

    gitlab.hooks_lost = 0.0 if by_hook else 1.0
    scene.person(INFRA).publish(scene.project, scene.iid)
    guest.comment(scene.project, scene.iid, LENGKAP)
    scene.found(by_hook=by_hook)
    owner.set_visibility(scene.project, "private")

    scene.stands()
    told = "\n".join(scene.notes)
    for words in (guest.user.username, refusal("not_yours"), "Dewi Lestari", drift("confidential"), f"@{INFRA}"):
        assert words in told


def test_a_command_by_the_service_s_own_account_is_nobody_s(scene: Scene, *, by_hook: bool) -> None:
    scene.world.campus.gitlab.hooks_lost = 0.0 if by_hook else 1.0

    scene.world.campus.gitlab.act(scene.world.campus.bot).comment(scene.project, scene.iid, LENGKAP)
    scene.found(by_hook=by_hook)

    scene.stands()
    assert scene.notes == [LENGKAP]


def test_a_command_edited_into_a_comment_is_not_acted_on(scene: Scene, *, by_hook: bool) -> None:
    scene.world.campus.gitlab.hooks_lost = 0.0 if by_hook else 1.0

    kasi = scene.person(KASI)
    note = kasi.comment(scene.project, scene.iid, "Sedang diperiksa.")
    scene.found(by_hook=by_hook)
    scene.world.clock.advance(MOMENT)
    kasi.edit_comment(scene.project, scene.iid, note, LENGKAP)
    scene.found(by_hook=by_hook)
    kasi.comment(scene.project, scene.iid, "Mohon ditunggu.")
    scene.found(by_hook=by_hook)

    scene.stands()
    scene.was_told(KASI, "disunting setelah ditulis")


@pytest.mark.parametrize(
    "text",
    ["> /pos lengkap", f"```\n{LENGKAP}\n```", "    /pos lengkap", "Apakah /pos lengkap sudah boleh ditulis?"],
    ids=["quoted", "code block", "indented code", "within a sentence"],
)
def test_a_command_somebody_only_speaks_of_is_no_command(scene: Scene, text: str, *, by_hook: bool) -> None:
    scene.world.campus.gitlab.hooks_lost = 0.0 if by_hook else 1.0

    scene.person(KASI).comment(scene.project, scene.iid, text)
    scene.found(by_hook=by_hook)

    scene.stands()
    assert scene.notes == []


def test_a_command_below_other_text_is_answered_and_not_acted_on(scene: Scene, *, by_hook: bool) -> None:
    scene.world.campus.gitlab.hooks_lost = 0.0 if by_hook else 1.0

    scene.person(KASI).comment(scene.project, scene.iid, f"Sudah saya periksa.\n\n{LENGKAP}")
    scene.found(by_hook=by_hook)

    scene.stands()
    scene.was_told(KASI, "baris pertama")


def test_of_two_commands_in_one_comment_neither_is_done(scene: Scene, *, by_hook: bool) -> None:
    scene.world.campus.gitlab.hooks_lost = 0.0 if by_hook else 1.0

    scene.person(KASI).comment(scene.project, scene.iid, f"{LENGKAP}\n\n/pos jeda menunggu data")
    scene.found(by_hook=by_hook)

    scene.stands()
    scene.was_told(KASI, "lebih dari satu perintah")


def test_of_two_officers_in_the_same_second_one_wins_and_the_other_is_told(scene: Scene, *, by_hook: bool) -> None:
    scene.world.campus.gitlab.hooks_lost = 0.0 if by_hook else 1.0

    scene.person(KASI).comment(scene.project, scene.iid, LENGKAP)
    scene.world.person(KADIV).comment(scene.project, scene.iid, LENGKAP)
    scene.found(by_hook=by_hook)

    assert scene.case.step == 5
    scene.right()
    scene.was_told(KADIV, refusal("overtaken"), "Dewi Lestari")
    assert len([note for note in scene.notes if note.startswith("**Langkah 05")]) == 1
