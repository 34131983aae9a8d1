"""Settings: read once, told about together, and silent about what they hold."""

import traceback
from pathlib import Path

import pytest
from pydantic import ValidationError

from integration.settings import Bind, Settings, SettingsFaults
from integration.templates import messages

NOWHERE = {  # what must be set, each with a secret in it where it may hold one
    "ALUR_GITLAB_URL": "https://gitlab.kampus.example/",
    "ALUR_GITLAB_TOKEN": "glpat-hunter2",
    "ALUR_GITLAB_PROJECT": "pustikom/layanan",
    "ALUR_GITLAB_WEBHOOK_SECRET": "hook-hunter2",
    "ALUR_PORTAL_SECRETS": "whsec_aHVudGVyMi1vbmU=, whsec_aHVudGVyMi10d28=,",
    "ALUR_PUBLIC_URL": "https://alur.kampus.example",
}


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    organisation = tmp_path / "organisasi.yaml"
    organisation.touch()
    return NOWHERE | {"ALUR_ORGANISATION": str(organisation)}


def faults(variables: dict[str, str]) -> dict[str, str]:
    with pytest.raises(SettingsFaults) as refused:
        Settings.read(variables, None)
    return {fault.variable: fault.sentence for fault in refused.value.faults}


def test_what_is_not_set_has_its_default(variables: dict[str, str]):
    settings = Settings.read(variables, None)
    assert settings.gitlab_url == "https://gitlab.kampus.example"
    assert settings.gitlab_token.get_secret_value() == "glpat-hunter2"
    assert [secret.get_secret_value() for secret in settings.portal_secrets] == ["whsec_aHVudGVyMi1vbmU=", "whsec_aHVudGVyMi10d28="]
    assert settings.database_url.get_secret_value() == "sqlite:///var/alur.db"
    assert (settings.portal_callback_url, settings.broker_url, settings.smtp_url) == (None, None, None)
    assert (settings.bind, settings.data_dir, settings.log_level) == (Bind("127.0.0.1", 8080), Path("var"), "INFO")
    assert settings.organisation == Path(variables["ALUR_ORGANISATION"])


@pytest.mark.parametrize(
    ("variable", "value", "read"),
    [
        ("ALUR_GITLAB_URL", " http://10.1.2.3:8929/git/ ", "http://10.1.2.3:8929/git"),
        ("ALUR_GITLAB_PROJECT", "42", "42"),
        ("ALUR_PORTAL_CALLBACK_URL", "https://portal.kampus.example/balik?unit=ti", "https://portal.kampus.example/balik?unit=ti"),
        ("ALUR_DATABASE_URL", "postgresql+psycopg://alur:hunter2@db/alur", "postgresql+psycopg://alur:hunter2@db/alur"),
        ("ALUR_DATABASE_URL", "postgresql:///alur?host=/run/postgresql", "postgresql:///alur?host=/run/postgresql"),
        ("ALUR_BROKER_URL", "redis://:hunter2@redis:6379/0", "redis://:hunter2@redis:6379/0"),
        ("ALUR_SMTP_URL", "smtps://alur:hunter2@mail.kampus.example:465", "smtps://alur:hunter2@mail.kampus.example:465"),
        ("ALUR_BIND", "[::1]:80", Bind("::1", 80)),
        ("ALUR_BIND", "0.0.0.0:65535", Bind("0.0.0.0", 65535)),
        ("ALUR_DATA_DIR", "/srv/alur", Path("/srv/alur")),
        ("ALUR_LOG_LEVEL", "warning", "WARNING"),
    ],
)
def test_good_values_are_read(variables: dict[str, str], variable: str, value: str, read: object):
    found = getattr(Settings.read(variables | {variable: value}, None), variable.removeprefix("ALUR_").lower())
    assert (found.get_secret_value() if hasattr(found, "get_secret_value") else found) == read


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ALUR_GITLAB_URL", "gitlab.kampus.example"),
        ("ALUR_GITLAB_URL", "https://alur:hunter2@gitlab.kampus.example"),
        ("ALUR_GITLAB_URL", "https://gitlab.kampus.example:99999"),
        ("ALUR_GITLAB_URL", "https://[gitlab"),
        ("ALUR_PUBLIC_URL", "ftp://alur.kampus.example"),
        ("ALUR_PUBLIC_URL", "https://alur.kampus.example/#bagian"),
        ("ALUR_PUBLIC_URL", "https://kampus.example/alur"),
        ("ALUR_GITLAB_PROJECT", "layanan"),
        ("ALUR_PORTAL_SECRETS", "hunter2"),
        ("ALUR_PORTAL_SECRETS", "whsec_hunter2"),
        ("ALUR_PORTAL_SECRETS", "whsec_"),
        ("ALUR_PORTAL_SECRETS", "whsec_aHVudGVyMi1vbmU=,aHVudGVyMi10d28="),
        ("ALUR_PORTAL_SECRETS", ","),
        ("ALUR_DATABASE_URL", "mysql://alur:hunter2@db/alur"),
        ("ALUR_DATABASE_URL", "sqlite:///:memory:"),
        ("ALUR_DATABASE_URL", "sqlite://"),
        ("ALUR_BROKER_URL", "amqp://alur:hunter2@rabbit"),
        ("ALUR_SMTP_URL", "smtp://"),
        ("ALUR_ORGANISATION", "/tidak/ada/hunter2.yaml"),
        ("ALUR_BIND", "8080"),
        ("ALUR_BIND", "127.0.0.1"),
        ("ALUR_BIND", "127.0.0.1:0"),
        ("ALUR_BIND", "127.0.0.1:http"),
        ("ALUR_BIND", "127.0.0.1:8080/hunter2"),
        ("ALUR_BIND", "hunter2@127.0.0.1:8080"),
        ("ALUR_LOG_LEVEL", "hunter2"),
    ],
)
def test_a_bad_value_is_told_once_and_never_repeated(variables: dict[str, str], variable: str, value: str):
    with pytest.raises(SettingsFaults) as refused:
        Settings.read(variables | {variable: value}, None)
    assert [fault.variable for fault in refused.value.faults] == [variable]
    assert refused.value.faults[0].sentence.startswith("isinya tidak sah; seharusnya ")
    assert "hunter2" not in "".join(traceback.format_exception(refused.value))
    assert refused.value.__context__ is None  # where pydantic's own error would be, values and all


@pytest.mark.parametrize("variable", [*NOWHERE, "ALUR_ORGANISATION"])
def test_what_must_be_set_is_missed(variables: dict[str, str], variable: str):
    for value in ({}, {variable: ""}, {variable: "  "}):
        told = faults({name: text for name, text in variables.items() if name != variable} | value)
        assert list(told) == [variable]
        assert told[variable].startswith("belum diisi; isinya ")


def test_everything_is_told_in_one_message():
    with pytest.raises(SettingsFaults) as refused:
        Settings.read({"ALUR_BIND": "x", "ALUR_GITLAB_PROJECT": "7", "ALUR_PORTAL_SECRETS": "whsec_aGFsbG8=,satu,dua"}, None)
    assert str(refused.value) == (
        "Aplikasi belum dapat dijalankan karena pengaturan berikut perlu dilengkapi:\n"
        "  ALUR_GITLAB_URL: belum diisi; isinya alamat GitLab yang diawali http:// atau https://, tanpa nama dan kata sandi.\n"
        "  ALUR_GITLAB_TOKEN: belum diisi; isinya token akses akun layanan di GitLab.\n"
        "  ALUR_GITLAB_WEBHOOK_SECRET: belum diisi; isinya rahasia webhook proyek, sama dengan yang tercatat di GitLab.\n"
        "  ALUR_PORTAL_SECRETS: isinya tidak sah; seharusnya satu atau beberapa rahasia berbentuk whsec_ diikuti base64, "
        "dipisahkan dengan koma.\n"
        "  ALUR_ORGANISATION: belum diisi; isinya jalur berkas organisasi yang sudah ada.\n"
        "  ALUR_PUBLIC_URL: belum diisi; isinya alamat layanan ini bagi penggunanya yang diawali http:// atau https://, "
        "tanpa jalur di belakang nama hosnya, tanpa nama dan kata sandi.\n"
        "  ALUR_BIND: isinya tidak sah; seharusnya alamat dan porta tempat layanan mendengarkan, misalnya 127.0.0.1:8080."
    )


def test_every_setting_has_its_sentence():
    assert set(messages("settings")) == {*Settings.model_fields, "heading", "missing", "bad", "traces_missing"}


def test_no_secret_is_shown(variables: dict[str, str]):
    held = {"ALUR_DATABASE_URL": "postgresql://alur:hunter2@db/alur", "ALUR_BROKER_URL": "redis://:hunter2@redis"}
    settings = Settings.read(variables | held | {"ALUR_SMTP_URL": "smtp://alur:hunter2@mail"}, None)
    for shown in (repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json(), f"{settings.portal_secrets}"):
        assert "hunter2" not in shown
        assert "aHVudGVyMi" not in shown


def test_settings_cannot_be_changed(variables: dict[str, str]):
    with pytest.raises(ValidationError, match="frozen"):
        Settings.read(variables, None).log_level = "DEBUG"


def test_the_environment_wins_over_the_file_also_when_it_is_empty(variables: dict[str, str], tmp_path: Path):
    file = tmp_path / "alur.env"
    file.write_text("ALUR_BIND=0.0.0.0:9000\nALUR_SMTP_URL=smtp://mail\nALUR_LOG_LEVEL=ERROR\nLAIN=1\n", encoding="utf-8")
    settings = Settings.read(variables | {"ALUR_BIND": "127.0.0.1:9001", "ALUR_SMTP_URL": ""}, file)
    assert (settings.bind, settings.smtp_url, settings.log_level) == (Bind("127.0.0.1", 9001), None, "ERROR")
    assert Settings.read(variables, tmp_path / "tidak-ada.env").log_level == "INFO"


def test_the_process_s_own_environment_is_read_where_no_other_is_given(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("ALUR_LOG_LEVEL=DEBUG\n", encoding="utf-8")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Settings.read().log_level == "DEBUG"
    assert Settings.read(env_file=None).gitlab_project == "pustikom/layanan"
    assert list(faults({})) == [*[*NOWHERE][:5], "ALUR_ORGANISATION", "ALUR_PUBLIC_URL"]  # a mapping is all there is


def test_settings_made_by_hand_take_nothing_from_around_them(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ALUR_LOG_LEVEL", "ERROR")
    made = Settings(**{name.removeprefix("ALUR_").lower(): value for name, value in variables.items()} | {"bind": Bind("::1", 1)})
    assert (made.log_level, made.bind) == ("INFO", Bind("::1", 1))
