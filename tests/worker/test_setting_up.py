"""Making a project ready, and looking the service over."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
import requests
from pydantic import SecretStr

from integration.doorbell import Embedded
from integration.faults import Failure, Permanent
from integration.files import FileStore
from integration.organisation import InForce
from integration.parts import Parts
from integration.procedure.offices import Holding, Organisation, Papers, Provider, WorkCalendar
from integration.rotation import Rotation
from integration.settings import Settings
from integration.store import Delivery, Store
from integration.templates import messages
from integration.yamlfile import Fault
from sandbox.bsre import NAME, PASSWORD, Bsre
from sandbox.gitlab import GitLab, Level, Project
from sandbox.portal import Portal
from sync import doctor, wording
from sync.backup import BACKED_UP
from sync.gitlab import Platform
from sync.provision import EVENTS, Provision
from tests.core.office import CALENDAR, ROLES, TEAM, office, organisation
from tests.postoffice import post_office
from tests.worker.conftest import POS

OURS = (
    *("database", "broker", "files", "disk", "secrets", "backup", "queues", "organisation", "offices", "revisions", "calendar"),
    *("templates", "font", "engine", "login"),
)
PLATFORM = ("version", "token", "clock", "rights", "members", "hook", "deliveries", "network", "project", "labels")
OTHERS = ("signing", "mail", "callback", "scanner")
CHECKS = (*OURS, *PLATFORM, *OTHERS)
HOOK = "https://alur.example/webhooks/gitlab"
NOW = datetime(2026, 6, 2, 2, tzinfo=UTC)


class Usage(NamedTuple):
    """Of a disk, in bytes."""

    total: int
    used: int
    free: int


@dataclass
class Office:
    """An organisation that is in force, without a file."""

    now: Organisation
    faults: tuple[Fault, ...] = ()


@dataclass
class Site:
    """An empty project and what is to be made of it."""

    gitlab: GitLab
    project: Project
    provision: Provision
    parts: Parts

    def look(self, **changed: object) -> dict[str, doctor.Finding]:
        parts = replace(self.parts, **changed)
        return {finding.code: finding for finding in doctor.check(parts, self.provision.platform, self.provision)}

    def wrong(self, **changed: object) -> set[str]:
        return {code for code, finding in self.look(**changed).items() if not finding.ok}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    (tmp_path / "organisasi.yaml").write_text("")
    store = Store(f"sqlite:///{tmp_path}/alur.db", clock=lambda: NOW)
    store.migrate()
    with GitLab(lambda: NOW) as gitlab:
        project, bot = gitlab.project("pustikom/pengaduan-si"), gitlab.user("alur-pos", "Layanan")
        gitlab.member(project, bot, Level.MAINTAINER)
        for account in (*ROLES.values(), *TEAM, "tono"):
            gitlab.member(project, gitlab.user(account, account.capitalize()), Level.REPORTER)
        settings = Settings(
            gitlab_url=gitlab.url,
            gitlab_token=bot.token,
            gitlab_project=project.path,
            gitlab_webhook_secret="s",
            portal_secrets="whsec_c2VjcmV0",
            organisation=tmp_path / "organisasi.yaml",
            public_url="https://alur.example",
            data_dir=tmp_path,
        )
        parts = Parts(settings, lambda: NOW, store, FileStore(tmp_path), (POS,), Office(organisation()), Embedded(), Rotation(settings))
        provision = Provision(Platform(gitlab.url, bot.token, project.path, timeout=5), store, (POS,), HOOK, "rahasia hook")
        yield Site(gitlab, project, provision, parts)
        assert gitlab.unknown == []
    store.close()


class TestProvision:
    def test_everything_is_made_once(self, site: Site):
        planned = site.provision.plan()
        assert site.project.labels == {}
        assert site.provision.apply() == planned
        assert site.provision.apply() == site.provision.plan() == []
        labels = {label.name: label for label in site.project.labels.values()}
        assert (labels["status::berjalan"].color, labels["status::berjalan"].description) == (
            "#2f7d4f",
            "Perkara berjalan menurut langkahnya.",
        )
        board = next(board for board in site.project.boards.values() if board.name.startswith("SI "))
        columns = [site.project.labels[column.label_id].name for column in sorted(board.lists, key=lambda column: column.position)]
        assert columns == [f"langkah::{step.label_text}" for step in POS.steps if step.number >= 4]

    def test_the_hook_has_every_flag_and_the_secret(self, site: Site):
        site.provision.apply()
        (hook,) = site.project.hooks.values()
        assert (hook.url, hook.token, hook.enable_ssl_verification) == (HOOK, "rahasia hook", True)
        assert {name: hook.flags[name] for name in EVENTS} == EVENTS

    def test_only_what_is_not_right_is_put_right(self, site: Site):
        site.provision.apply()
        (hook,) = site.project.hooks.values()
        hook.flags["confidential_note_events"] = None
        label = next(label for label in site.project.labels.values() if label.name == "status::berjalan")
        label.color = "#000000"
        site.project.labels.pop(next(number for number, known in site.project.labels.items() if known.name == "prioritas::rendah"))
        board = next(board for board in site.project.boards.values() if board.name.startswith("SI "))
        board.lists.pop()
        board.lists[0].position, board.lists[1].position = board.lists[1].position, board.lists[0].position
        changes = site.provision.apply()
        assert [change.kind for change in changes] == ["label_create", "label_update", "column_create", "columns_order", "hook_update"]
        assert changes[1].diff == (("color", "#000000", "#2f7d4f"),)
        assert all(str(change) for change in changes)
        assert (label.color, hook.flags["confidential_note_events"]) == ("#2f7d4f", True)
        assert site.provision.plan() == []

    def test_each_division_has_a_board_of_its_steps(self, site: Site):
        list(site.provision.labels(act=True))
        list(site.provision.boards(act=True))
        boards = {
            board.name: [site.project.labels[column.label_id].name for column in board.lists] for board in site.project.boards.values()
        }
        assert [name for name in boards if name.endswith(" (SI)") and name[:3] != "SI "] == [
            "Kepala Pustikom (SI)",
            "Kepala Divisi Layanan dan Pangkalan Data (SI)",
            "Kepala Divisi Pengembangan Sistem Informasi dan Pemrograman (SI)",
            "Kepala Divisi Infrastruktur dan Keamanan Jaringan (SI)",
        ]
        numbers = lambda name: [int(label.removeprefix("langkah::")[:2]) for label in boards[name]]  # noqa: E731 - asked twice
        assert numbers("Kepala Pustikom (SI)") == [4, 5, 15, 23, 30]
        assert numbers("Kepala Divisi Infrastruktur dan Keamanan Jaringan (SI)") == [26, 27]

    def test_a_project_that_is_in_use_is_taken_as_it_is(self, site: Site):
        people, project = site.gitlab.act(site.gitlab.account("kepala")), site.project
        site.gitlab.member(project, people.user, Level.MAINTAINER)
        iid = people.open(project, "Milik orang", labels=["penting"])
        ask = lambda method, path, **data: requests.request(  # noqa: E731 - asked often
            method,
            f"{site.gitlab.url}/api/v4/projects/{project.id}/{path}",
            json=data,
            headers={"PRIVATE-TOKEN": people.user.token},
            timeout=30,
        ).raise_for_status()
        ask("POST", "wikis", title="home", content="Selamat datang.")
        ask("POST", "repository/files/.gitlab%2Fissue_templates%2FDefault.md", branch="utama", content="Tulis di sini.", commit_message="x")
        ask("POST", "hooks", url="https://lain.example/")
        ask("POST", "labels", name="langkah::04 Pemeriksaan", color="#ff0000")
        boards = {board.id: (board.name, list(board.lists)) for board in project.boards.values()}
        planned = site.provision.plan()
        assert [change.name for change in planned if change.kind in ("wiki_create", "template_create")] == ["alur-pos"]
        assert site.provision.apply() == planned
        assert site.provision.plan() == []
        assert (project.wiki["home"].content, project.files[".gitlab/issue_templates/Default.md"]) == ("Selamat datang.", "Tulis di sini.")
        assert all((project.boards[number].name, project.boards[number].lists) == was for number, was in boards.items())
        assert [hook.url for hook in project.hooks.values()] == ["https://lain.example/", HOOK]
        assert [project.labels[number].name for number in project.issues[iid].label_ids] == ["penting"]

    def test_what_greets_people_is_made_once_and_theirs_from_then_on(self, site: Site):
        site.provision.apply()
        assert "/pos bantuan" in site.project.wiki["home"].content
        assert "portal" in site.project.templates["Default"]
        site.project.wiki["home"].content = "Disunting."
        assert site.provision.apply() == []
        assert site.project.wiki["home"].content == "Disunting."

    def test_settings_that_would_harm_a_case_are_put_right_and_what_only_the_owner_may_is_asked_for(self, site: Site):
        site.project.visibility = "internal"
        site.project.settings["enforce_auth_checks_on_uploads"] = False
        assert [change.kind for change in site.provision.settings(act=True)] == [
            "enforce_auth_checks_on_uploads",
            "autoclose_referenced_issues",
            "visibility_by_owner",
        ]
        assert site.project.settings == {"enforce_auth_checks_on_uploads": True, "autoclose_referenced_issues": False}
        assert site.look()["project"].detail == "proyek tidak privat, dan akun ini tidak berhak mengubahnya"
        site.gitlab.member(site.project, site.gitlab.account("alur-pos"), Level.OWNER)
        assert [change.kind for change in site.provision.settings(act=True)] == ["visibility"]
        assert (site.project.visibility, list(site.provision.settings())) == ("private", [])

    def test_names_follow_a_revision_that_replaces_the_one_before(self, site: Site):
        site.provision.apply()
        label = next(label for label in site.project.labels.values() if label.name == "langkah::04 Pemeriksaan")
        steps = tuple(replace(step, name="Penelaahan") if step.number == 4 else step for step in POS.steps)
        newer = replace(POS, revision="2027-01", head=replace(POS.head, name="Pengaduan"), steps=steps)
        both = replace(site.provision, procedures=(POS, newer))
        assert "label_rename" not in {change.kind for change in both.plan()}  # cases of before still need theirs
        alone = replace(site.provision, procedures=(newer,))
        planned = alone.plan()
        assert [change.kind for change in planned] == ["label_rename", "label_update", "board_rename"]
        assert alone.apply() == planned
        assert (label.name, alone.plan()) == ("langkah::04 Penelaahan", [])
        assert "SI Pengaduan" in {board.name for board in site.project.boards.values()}

    def test_a_new_secret_reaches_the_hook(self, site: Site):
        site.provision.apply()
        renewed = replace(site.provision, hook_secret="rahasia baru")
        assert [change.kind for change in renewed.apply()] == ["hook_update"]
        assert [hook.token for hook in site.project.hooks.values()] == ["rahasia baru"]
        assert renewed.plan() == []

    def test_what_others_made_is_left_alone(self, site: Site):
        site.provision.platform.post(f"{site.provision.platform.project}/labels", {"name": "penting", "color": "#123456"})
        site.provision.platform.post(f"{site.provision.platform.project}/hooks", {"url": "https://lain.example/"})
        site.provision.apply()
        assert next(label for label in site.project.labels.values() if label.name == "penting").color == "#123456"
        assert len(site.project.hooks) == 2

    def test_what_stopped_half_way_goes_on(self, site: Site):
        site.gitlab.fault("POST", r"/boards$", status=500)
        with pytest.raises(Exception, match="500"):
            site.provision.apply()
        assert "board_create" in {change.kind for change in site.provision.apply()}
        assert site.provision.plan() == []


class TestDoctor:
    def test_a_site_that_is_ready_is_well(self, site: Site):
        site.provision.apply()
        findings = site.look()
        assert [*findings] == [*CHECKS]
        assert all(finding.ok and finding.title and not finding.fix for finding in findings.values())
        assert {code for code, finding in findings.items() if finding.skipped} == {"mail", "callback", "scanner"}

    def test_a_project_that_is_not_made_ready_is_said_to_be(self, site: Site):
        findings = site.look()
        assert site.wrong() == {"hook", "project", "labels"}
        assert findings["hook"].detail == f"webhook ke {HOOK} belum ada"
        assert findings["hook"].fix.startswith("Jalankan alur provision.")
        assert findings["labels"].detail == (
            "116 belum ada atau belum sesuai, antara lain "
            "langkah::04 Pemeriksaan, langkah::05 Persetujuan Kepala Pustikom, langkah::06 Penjadwalan"
        )

    def test_a_token_without_rights_is_said_to_be(self, site: Site):
        site.provision.apply()
        user = site.gitlab.user("lemah", "Lemah")
        site.gitlab.member(site.project, user, Level.REPORTER)
        site.provision = replace(site.provision, platform=Platform(site.gitlab.url, user.token, site.project.path))
        assert site.wrong() == {"rights"}
        assert site.look()["rights"].detail == "peran akun layanan bernilai 20, seharusnya sekurang-kurangnya 30"
        assert {code for code in PLATFORM if site.look()[code].skipped} == {"hook", "deliveries", "network"}
        site.provision = replace(site.provision, platform=Platform(site.gitlab.url, "glpat-salah", site.project.path))
        assert site.wrong() == {*PLATFORM}
        assert site.look()["labels"].detail.endswith("/labels: 401 Unauthorized)")
        assert site.look()["labels"].fix.startswith("Pastikan ALUR_GITLAB_PROJECT benar")

    def test_a_platform_that_is_down_hides_nothing_else(self, site: Site):
        site.provision = replace(site.provision, platform=Platform("http://127.0.0.1:9", "x", "a/b", timeout=1))
        assert site.wrong() == {*PLATFORM}

    def test_a_hook_gitlab_stopped_is_said_to_be(self, site: Site, monkeypatch: pytest.MonkeyPatch):
        site.provision.apply()
        pages = Platform.pages

        def stopped(platform: Platform, path: str, query: dict | None = None) -> Iterator[dict]:
            for item in pages(platform, path, query):
                yield item | {"alert_status": "temporarily_disabled"} if path.endswith("/hooks") else item

        monkeypatch.setattr(Platform, "pages", stopped)
        assert site.look()["hook"].detail == "GitLab menghentikannya (temporarily_disabled)"

    def test_a_year_that_is_not_loaded_is_named_in_time(self, site: Site):
        site.provision.apply()
        office = replace(organisation(), calendar=replace(CALENDAR, years=frozenset({2026})))
        assert isinstance(office.calendar, WorkCalendar)
        assert site.wrong(in_force=Office(office)) == set()
        autumn = lambda: datetime(2026, 11, 20, tzinfo=UTC)  # noqa: E731 - a clock
        assert site.look(in_force=Office(office), clock=autumn)["calendar"].detail == "tahun 2027 belum dimuat"

    def test_faults_of_the_organisation_file_are_told_also_while_an_older_one_is_in_force(self, site: Site):
        site.provision.apply()
        fault = Fault(Path("organisasi.yaml"), 7, "offices[2].since", "day", '"besok" bukan tanggal yang sah.')
        findings = site.look(in_force=Office(organisation(), (fault,)))
        assert [code for code, finding in findings.items() if not finding.ok] == ["organisation"]
        assert findings["organisation"].detail == '\n    organisasi.yaml:7: offices[2].since: "besok" bukan tanggal yang sah.'
        assert "alur organisation check" in findings["organisation"].fix

    def test_a_file_that_never_was_good_hides_only_what_needs_it(self, site: Site):
        site.provision.apply()
        findings = site.look(in_force=InForce(site.parts.settings.organisation))
        wrong = {code: finding for code, finding in findings.items() if not finding.ok}
        assert wrong.keys() == {"organisation", "offices", "token", "members", "calendar", "templates", "font", "engine", "signing"}
        assert wrong["offices"].detail == "menunggu berkas organisasi yang benar"
        assert {finding.fix for finding in wrong.values()} == {wrong["organisation"].fix}

    def test_half_of_an_oauth_application_is_named(self, site: Site):
        site.provision.apply()
        half = site.parts.settings.model_copy(update={"gitlab_oauth_id": "abc"})
        assert "ALUR_GITLAB_OAUTH_SECRET" in site.look(settings=half)["login"].detail

    def test_an_office_that_is_vacant_or_will_be_soon_is_named_with_the_day(self, site: Site):
        site.provision.apply()
        kadiv = office("kadiv-layanan", "layanan", until=date(2026, 6, 20))
        without = replace(organisation(without="kasi-layanan-administrasi"))
        offices = tuple(o for o in without.offices if o.role != "kadiv-layanan")
        soon = replace(without, offices=(*offices, kadiv))
        assert site.look(in_force=Office(soon))["offices"].detail == (
            "Kepala Seksi Layanan Administrasi tidak ada pemegangnya, "
            "Kepala Divisi Layanan dan Pangkalan Data tidak ada pemegangnya mulai 2026-06-21"
        )
        successor = office("kadiv-layanan", "pengganti", Holding.ACTING, since=date(2026, 6, 21))
        planned = replace(organisation(), offices=(*(o for o in organisation().offices if o.role != "kadiv-layanan"), kadiv, successor))
        assert "offices" not in site.wrong(in_force=Office(planned))

    def test_a_deputy_of_nobody_is_named(self, site: Site):
        site.provision.apply()
        deputy = office("kadiv-layanan", "wakil", Holding.DEPUTY)
        assert "offices" not in site.wrong(in_force=Office(organisation(deputy)))
        detail = site.look(in_force=Office(organisation(deputy, without="kadiv-layanan")))["offices"].detail
        assert detail.startswith("Kepala Divisi Layanan dan Pangkalan Data mulai 2026-06-02 dipegang Plh.")

    def test_people_who_cannot_act_on_the_platform_are_named(self, site: Site, monkeypatch: pytest.MonkeyPatch):
        site.provision.apply()
        pages = Platform.pages

        def shown(platform: Platform, path: str, query: dict | None = None) -> Iterator[dict]:
            for item in pages(platform, path, query):
                yield item | {"state": "blocked"} if item.get("username") == "cuti" else item

        monkeypatch.setattr(Platform, "pages", shown)
        weak, away = (site.gitlab.user(account, account) for account in ("tamu", "cuti"))
        site.gitlab.member(site.project, weak, Level.GUEST)
        site.gitlab.member(site.project, away, Level.REPORTER)
        more = [office("kadiv-layanan", account, since=date(2027, 1, 1)) for account in ("tamu", "cuti", "tak.ada")]
        past = office("kadiv-layanan", "pensiun", until=date(2026, 6, 1))
        assert site.look(in_force=Office(organisation(*more, past)))["members"].detail == (
            "peran tamu bernilai 10, seharusnya sekurang-kurangnya 20, cuti tidak aktif (blocked), tak.ada bukan anggota proyek"
        )

    @pytest.mark.parametrize(
        ("seconds", "told"), [(10, ""), (-10, ""), (11, "jam GitLab lebih cepat 11 detik"), (-90, "jam GitLab lebih lambat 90 detik")]
    )
    def test_clocks_that_differ_are_told(self, site: Site, monkeypatch: pytest.MonkeyPatch, seconds: int, told: str):
        monkeypatch.setattr("sync.gitlab._ahead", lambda _: timedelta(seconds=seconds))
        assert site.look()["clock"].detail == told

    def test_a_database_of_another_release_is_said_to_be(self, site: Site, tmp_path: Path):
        site.provision.apply()
        assert site.wrong(store=Store(f"sqlite:///{tmp_path}/lain.db", clock=lambda: NOW)) == {"database"}

    def test_a_folder_that_takes_no_files_is_said_to_be(self, site: Site, tmp_path: Path):
        site.provision.apply()
        (tmp_path / "berkas-biasa").write_text("")
        assert site.wrong(files=FileStore(tmp_path / "berkas-biasa")) == {"files"}

    def test_a_bell_that_does_not_ring_is_said_to_be(self, site: Site):
        class Silent:
            def ring(self) -> None: ...

            def answers(self) -> bool:
                return False

        site.provision.apply()
        assert site.look(bell=Silent())["broker"].detail == "tidak menjawab"

    def test_a_template_that_cannot_be_read_is_named(self, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        site.provision.apply()
        (tmp_path / "notes").mkdir()
        (tmp_path / "notes" / "rusak.md").write_text("baik\n{% if x %}")
        monkeypatch.setattr(wording, "TEMPLATES", tmp_path)
        detail = site.look()["templates"].detail
        assert detail.startswith("notes/rusak.md:2: ")

    def test_a_font_that_is_not_there_is_named_with_those_that_are(self, site: Site):
        site.provision.apply()
        office = replace(organisation(), papers=Papers(font="Bookman Old Style"))
        detail = site.look(in_force=Office(office))["font"].detail
        assert detail.startswith('"Bookman Old Style" tidak ditemukan')
        assert "Libertinus Serif" in detail

    def test_the_service_that_signs_is_asked_whether_it_is_there_and_knows_us(self, site: Site):
        site.provision.apply()
        with Bsre() as national:

            def found(address: str, credentials: str | None) -> doctor.Finding:
                office = replace(organisation(), papers=Papers(provider=Provider.BSRE, signing_address=address))
                secret = credentials and SecretStr(credentials)
                settings = site.parts.settings.model_copy(update={"bsre_credentials": secret})
                return site.look(in_force=Office(office), settings=settings)["signing"]

            assert found(national.address, f"{NAME}:{PASSWORD}").ok
            assert found(national.address, None).detail == "ALUR_BSRE_CREDENTIALS belum diisi"
            assert found(national.address, "alur:lain").detail.endswith("menolak nama dan kata sandi aplikasi ini")
            assert found("http://127.0.0.1:9", "a:b").detail == "layanan klien BSrE di http://127.0.0.1:9 tidak menjawab"
            assert found(site.gitlab.url, "a:b").detail.endswith("bukan jawaban layanan klien BSrE")

    def test_a_token_that_ends_soon_or_does_not_reach_is_said_to_be(self, site: Site):
        bot = site.gitlab.user("lain", "Lain")
        site.gitlab.member(site.project, bot, Level.DEVELOPER)
        site.gitlab.ends(bot, date(2026, 7, 3))
        platform = Platform(site.gitlab.url, bot.token, site.project.path)
        token = lambda: {f.code: f for f in doctor.check(site.parts, platform, site.provision)}["token"]  # noqa: E731 - asked twice
        assert token().ok
        site.gitlab.ends(bot, date(2026, 7, 2))
        assert token().detail == "berlaku sampai sebelum 2026-07-02, 30 hari lagi"
        assert "alur token rotate" in token().fix
        site.gitlab.narrow(bot, "read_api", "self_rotate")
        assert token().detail == "cakupannya read_api, self_rotate, seharusnya api"

    def test_deliveries_that_were_lost_are_told_until_they_are_a_day_old(self, site: Site):
        gone = replace(site.provision, hook_url="http://127.0.0.1:9/webhooks/gitlab")
        list(gone.hook(act=True))
        site.provision = gone
        assert site.look()["deliveries"].ok
        site.gitlab.act(site.gitlab.user("pengelola", "Pengelola", admin=True)).open(site.project, "Satu")
        site.gitlab.settle()
        findings = site.look()
        assert findings["deliveries"].detail == "1 kiriman gagal dalam 24 jam terakhir, yang terakhir dengan internal error"
        assert findings["network"].detail == "127.0.0.1 berada di jaringan lokal dan tidak ada kiriman GitLab yang sampai"
        assert "Outbound requests" in findings["network"].fix
        assert site.look(clock=lambda: NOW + timedelta(days=1, seconds=1))["deliveries"].ok

    def test_an_address_gitlab_may_not_call_is_refused_with_what_to_ask_for(self, site: Site):
        site.gitlab.local_requests = False
        site.provision = replace(site.provision, hook_url="http://127.0.0.1:8080/webhooks/gitlab")
        with pytest.raises(Permanent) as refused:
            list(site.provision.hook(act=True))
        assert refused.value.failure is Failure.HOOK
        assert site.look()["network"].detail == "127.0.0.1 berada di jaringan lokal dan webhook belum terpasang"

    def test_what_this_machine_lacks_is_said(self, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.chdir(tmp_path)
        (tmp_path / ".env").write_text("ALUR_GITLAB_TOKEN=x\n")
        (tmp_path / ".env").chmod(0o644)
        monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(100 * 2**30, 97 * 2**30, 3 * 2**30))
        settings = site.parts.settings.model_copy(update={"data_dir": tmp_path / "belum" / "ada"})
        findings = site.look(settings=settings)
        assert findings["secrets"].detail == ".env dapat dibuka pengguna lain di mesin ini"
        assert findings["disk"].detail == f"di {tmp_path} tersisa 3,0 GiB (3%)"
        (tmp_path / ".env").chmod(0o600)
        monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(100 * 2**30, 90 * 2**30, 10 * 2**30))
        assert {"secrets", "disk"} & site.wrong() == set()

    def test_rows_that_wait_or_are_parked_and_backups_that_were_not_made_are_told(self, site: Site):
        store = site.parts.store
        store.submit(Delivery("portal", "form", "", b"{}"), "SI", 2026)
        findings = site.look()
        assert (findings["queues"].ok, findings["backup"].detail) == (True, "belum pernah dibuat")
        later = lambda: NOW + timedelta(days=2)  # noqa: E731 - a clock
        assert site.look(clock=later)["queues"].detail == "1 baris inbox menunggu, yang tertua sudah 2880 menit"
        claimed = store.claim(lease=timedelta(minutes=1))
        store.park(*claimed, "403", Failure.RIGHTS)
        assert site.look()["queues"].detail == "1 baris inbox diparkir"
        store.set_mark(BACKED_UP, NOW.isoformat())
        assert site.look()["backup"].ok
        assert site.look(clock=later)["backup"].detail == "yang terakhir dibuat 2026-06-02 09.00"

    def test_the_mail_server_the_portal_and_the_scanner_are_asked(self, site: Site):
        portal = Portal(lambda: NOW).start()
        with post_office() as office:
            there = {"smtp_url": SecretStr(office.url), "portal_callback_url": portal.callback_url, "clamd_url": "tcp://127.0.0.1:9"}
            findings = site.look(settings=site.parts.settings.model_copy(update=there))
            assert [findings[code].state for code in ("mail", "callback", "scanner")] == ["well", "well", "ill"]
        portal.stop()
        findings = site.look(settings=site.parts.settings.model_copy(update=there))
        assert findings["mail"].detail == "mail: ConnectionRefusedError"
        assert findings["callback"].detail == "alamat portal tidak dapat dipakai (ConnectionError)"

    def test_every_check_has_its_words(self):
        words = messages("doctor")
        checks = {*CHECKS}
        assert checks <= words.keys()
        assert {code for code in words if code.endswith("_fix")} == {f"{code}_fix" for code in checks | {"unreachable", "refused"}}
