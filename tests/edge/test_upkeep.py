"""What an administrator does once and then every night or year: the doctor for programs, another token."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from sandbox.gitlab import GitLab, Level, User


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with GitLab() as gitlab:
        gitlab.member(gitlab.project("pustikom/pengaduan-si"), gitlab.user("alur-pos", "alur-pos"), Level.DEVELOPER)
        yield gitlab
        assert gitlab.unknown == []


@pytest.fixture
def bot(gitlab: GitLab) -> User:
    return gitlab.account("alur-pos")


def settings_file(environment: dict[str, str], gitlab: GitLab, bot: User) -> Path:
    """The settings in a file instead of the environment, as an administrator has them."""
    file = Path(".env")
    said = environment | {"ALUR_GITLAB_URL": gitlab.url, "ALUR_GITLAB_TOKEN": bot.token}
    file.write_text("# pengaturan\n" + "".join(f"{name}={value}\n" for name, value in said.items() if name.startswith("ALUR_")))
    file.chmod(0o640)
    for name in said:
        environment.pop(name, None)
    return file


def test_the_doctor_answers_programs_too(alur, gitlab, bot):
    result = alur("doctor", "--json", ALUR_GITLAB_URL=gitlab.url, ALUR_GITLAB_TOKEN=bot.token)
    report = json.loads(result.stdout)
    states = {finding["code"]: finding["state"] for finding in report["findings"]}
    assert (result.exit_code, report["well"]) == (1, False)
    assert (states["token"], states["rights"], states["labels"], states["hook"]) == ("well", "well", "ill", "skipped")
    assert all(set(finding) == {"code", "state", "title", "detail", "fix"} for finding in report["findings"])
    assert all(bool(finding["fix"]) is (finding["state"] == "ill") for finding in report["findings"])


def test_bad_settings_are_told_to_programs_too(alur):
    result = alur("doctor", "--json", ALUR_GITLAB_URL="", ALUR_PUBLIC_URL="")
    assert result.exit_code == 2
    assert [finding["detail"].partition(":")[0] for finding in json.loads(result.stdout)["findings"]] == [
        "ALUR_GITLAB_URL",
        "ALUR_PUBLIC_URL",
    ]


def test_a_new_token_takes_the_place_of_the_old_one_in_the_settings(alur, environment, gitlab, bot):
    old, file = bot.token, settings_file(environment, gitlab, bot)
    before = file.read_text()
    result = alur("token", "rotate", "--days", "90")
    assert result.exit_code == 0
    assert bot.token != old
    assert file.read_text() == before.replace(old, bot.token)
    assert file.stat().st_mode & 0o777 == 0o640
    assert bot.token not in result.output
    assert "Token GitLab" in alur("doctor").stdout
    assert "401" not in alur("doctor").stdout
    assert [path.name for path in Path().iterdir() if path.name.startswith(".")] == [".env"]


def test_a_token_of_the_environment_is_kept_only_where_it_is_said(alur, gitlab, bot):
    old, here = bot.token, {"ALUR_GITLAB_URL": gitlab.url, "ALUR_GITLAB_TOKEN": bot.token}
    result = alur("token", "rotate", **here)
    assert (result.exit_code, bot.token) == (1, old)
    assert "--out" in result.stderr
    assert alur("token", "rotate", "--out", "baru.env", **here).exit_code == 0
    assert Path("baru.env").read_text() == f"ALUR_GITLAB_TOKEN={bot.token}\n"
    assert Path("baru.env").stat().st_mode & 0o777 == 0o600
    assert alur("token", "rotate", "--out", "baru.env", **here | {"ALUR_GITLAB_TOKEN": bot.token}).exit_code == 1


def test_a_token_that_gitlab_does_not_renew_stays_in_the_settings(alur, environment, gitlab, bot):
    file = settings_file(environment, gitlab, bot)
    before = file.read_text()
    gitlab.ends(bot, date(2020, 1, 1))
    result = alur("token", "rotate")
    assert result.exit_code == 1
    assert "Token GitLab tidak diterima" in result.stderr
    assert file.read_text() == before


def test_tables_go_forward_and_back_by_the_command(alur):
    assert alur("database", "migrate", "--to", "0006").stdout == "Skema basis data sekarang 0006.\n"
    assert alur("database", "show").stdout.startswith("Skema basis data: 0006. Skema rilis ini: ")
    assert alur("database", "migrate").exit_code == 0
    assert alur("database", "migrate", "--to", "0005").stdout == "Skema basis data sekarang 0005.\n"
    result = alur("database", "migrate", "--to", "9999")
    assert (result.exit_code, result.stderr) == (1, "Skema 9999 tidak dikenal rilis ini; tidak ada yang diubah.\n")
