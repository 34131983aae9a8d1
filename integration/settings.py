"""Every knob of the service, from `ALUR_...` variables and an optional `.env` file, read once and in one place.

Whatever is missing or bad is told together, and no sentence, repr or traceback ever holds a value: any of them may be a secret.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, FilePath, PrivateAttr, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from integration.templates import messages

PREFIX = "ALUR_"
DATA_KEY = 32  # bytes


class Bind(NamedTuple):
    """Where the web process listens."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class SettingFault:
    """One variable that is missing or bad, and what it should be."""

    variable: str
    sentence: str

    def __str__(self) -> str:
        """The fault on one line."""
        return f"{self.variable}: {self.sentence}"


class SettingsFaults(Exception):
    """The service cannot start with these settings. `faults` holds every reason; the text is the whole message for the operator."""

    def __init__(self, faults: Sequence[SettingFault]) -> None:
        super().__init__("\n".join([messages("settings")["heading"], *(f"  {fault}" for fault in faults)]))
        self.faults = tuple(faults)


def _url(*schemes: str) -> Callable[[str], str]:
    """A check of addresses with a host; a slash at the end goes."""

    def check(text: str) -> str:
        parts = urlsplit(text)
        if parts.scheme not in schemes or not parts.hostname or parts.port == 0 or parts.fragment or re.search(r"\s", text):
            raise ValueError("address")
        return text.rstrip("/")

    return check


def _whole_host(text: str) -> str:
    """An address of a host, without a path: the pages and their links begin at its root."""
    if urlsplit(text).path or urlsplit(text).query:
        raise ValueError("path in an address")
    return text


def _public(text: str) -> str:
    """An address that may be printed: nobody's name and password in it."""
    if "@" in urlsplit(text).netloc:
        raise ValueError("secret in an address")
    return text


def _hidden(check: Callable[[str], str]) -> AfterValidator:
    """The same check of a text that is kept secret."""
    return AfterValidator(lambda secret: SecretStr(check(secret.get_secret_value())))


def _database(text: str) -> str:
    """A database the store works on, on disk or on a server; where exactly is for its driver to judge."""
    if not re.fullmatch(r"(sqlite:///(?!:memory:)|postgresql(\+psycopg)?://)\S+", text):
        raise ValueError("database")
    return text


def _webhook_secret(text: str) -> str:
    """A secret as Standard Webhooks write it: "whsec_" and at least one byte in base64."""
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    if not text.startswith("whsec_") or not key:
        raise ValueError("webhook secret")
    return text


def _data_key(text: str) -> str:
    """32 bytes in URL-safe Base64, as the keys of integration.sealing.Keyring are."""
    try:
        whole = len(base64.b64decode(text, altchars=b"-_", validate=True)) == DATA_KEY
    except binascii.Error:
        whole = False
    if not whole:
        raise ValueError("data key")
    return text


def _credentials(text: str) -> str:
    """A name and a password with a colon between them."""
    name, _, password = text.partition(":")
    if not name or not password:
        raise ValueError("credentials")
    return text


def _listed(text: object) -> object:
    """The parts of "a, b"; anything but text is left to the next check."""
    return tuple(part.strip() for part in text.split(",") if part.strip()) if isinstance(text, str) else text


def _bind(text: object) -> object:
    """Host and port of "127.0.0.1:8080" or "[::1]:8080"."""
    if not isinstance(text, str):
        return text
    parts = urlsplit(f"//{text}")
    if not parts.hostname or not parts.port or parts.netloc != text or "@" in text:
        raise ValueError("host and port")
    return Bind(parts.hostname, parts.port)


Address = Annotated[str, AfterValidator(_url("http", "https")), AfterValidator(_public)]
DatabaseAddress = Annotated[SecretStr, _hidden(_database)]
BrokerAddress = Annotated[SecretStr, _hidden(_url("redis", "rediss"))]
MailAddress = Annotated[SecretStr, _hidden(_url("smtp", "smtps"))]
Host = Annotated[str, AfterValidator(str.casefold), Field(pattern=r"^[\w.-]+(:\d+)?$")]
WebhookSecret = Annotated[SecretStr, _hidden(_webhook_secret)]
DataKey = Annotated[SecretStr, _hidden(_data_key)]


PortalSecrets = Annotated[tuple[WebhookSecret, ...], NoDecode, BeforeValidator(_listed), Field(min_length=1)]
"""The first one signs, all verify."""


class _Variables(BaseSettings):
    """Settings that are read as all are."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True, validate_default=False)

    _file: Path | None = PrivateAttr(None)
    _environ: Mapping[str, str] | None = PrivateAttr(None)

    @property
    def file(self) -> Path | None:
        """The file they were read from, over which the environment counts; None for settings made by hand."""
        return self._file

    def again(self) -> Self:
        """The same settings as they are said now. Raises SettingsFaults."""
        return self.read(self._environ, self._file)

    def secrets(self, name: str) -> list[str]:
        """The secrets of one setting, in the open."""
        value = getattr(self, name)
        return [part.get_secret_value() for part in (value if isinstance(value, tuple) else (value,)) if isinstance(part, SecretStr)]

    @property
    def every_secret(self) -> list[str]:
        """Every secret among the settings, and the passwords inside their addresses: what no log may show."""
        values = [value for name in type(self).model_fields for value in self.secrets(name)]
        return [*values, *(password for value in values if (password := urlsplit(value).password))]

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None, env_file: Path | None = Path(".env")) -> Self:
        """The settings of these variables (None: the process's own) over those of the file, where there is one.

        An empty variable counts as not set, also where the file sets it. Raises SettingsFaults.
        """
        environment = EnvSettingsSource(cls)
        if environ is not None:
            environment.env_vars = {name.lower(): value for name, value in environ.items()}
        found = {**DotEnvSettingsSource(cls, env_file=env_file)(), **environment()}
        values: dict[str, Any] = {name: text.strip() for name, text in found.items() if isinstance(text, str) and text.strip()}
        try:
            made = cls(**values)
        except ValidationError as invalid:
            faults = _faults(cls, invalid)
        else:
            made._file, made._environ = env_file, environ
            return made
        raise SettingsFaults(faults)  # outside the handler: the error it caught holds the values

    @classmethod
    def settings_customise_sources(cls, *_: Any, **sources: Any) -> tuple[PydanticBaseSettingsSource, ...]:  # noqa: ANN401 - as pydantic calls it
        """Settings made by hand are exactly what they are made of; only `read` looks around."""
        return (sources["init_settings"],)


class PortalSettings(_Variables):
    """What is needed to speak as the portal does, from anywhere: of the service only its address."""

    portal_secrets: PortalSecrets
    public_url: Annotated[Address, AfterValidator(_whole_host)] = "http://127.0.0.1:8080"  # where `alur serve` listens


class Settings(_Variables):
    """What contract.md, "Settings", names, without the prefix. Addresses that can carry a password are secrets too."""

    gitlab_url: Address
    gitlab_token: SecretStr
    gitlab_setup_token: SecretStr | None = None  # with which the project is made ready and looked over; None: with the other
    gitlab_project: Annotated[str, Field(pattern=r"^(\d+|[\w.-]+(/[\w.-]+)+)$")]  # id or full path
    gitlab_webhook_secret: SecretStr
    gitlab_per_minute: Annotated[int, Field(ge=0)] = 300  # new notes, and new issues, by all workers together; 0: no limit
    gitlab_oauth_id: str | None = None  # of the OAuth application people sign in by on our pages; None: nobody can
    gitlab_oauth_secret: SecretStr | None = None
    portal_secrets: PortalSecrets
    portal_callback_url: Address | None = None
    attachment_hosts: Annotated[tuple[Host, ...], NoDecode, BeforeValidator(_listed)] = ()  # from where attachments may be fetched
    clamd_url: Annotated[str, Field(pattern=r"^(tcp://[^/\s]+|unix:///\S+)$")] | None = None  # None: attachments are not scanned
    database_url: DatabaseAddress = SecretStr("sqlite:///var/alur.db")
    broker_url: BrokerAddress | None = None  # None: embedded
    organisation: FilePath
    public_url: Annotated[Address, AfterValidator(_whole_host)]
    data_dir: Path = Path("var")
    data_keys: Annotated[tuple[DataKey, ...], NoDecode, BeforeValidator(_listed)] = ()  # the first wraps cases' keys; none: nothing does
    smtp_url: MailAddress | None = None
    bsre_credentials: Annotated[SecretStr, _hidden(_credentials)] | None = None  # None: nobody signs through its client service
    bind: Annotated[Bind, NoDecode, BeforeValidator(_bind)] = Bind("127.0.0.1", 8080)
    traces_url: Address | None = None  # None: no traces are sent
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(str.upper)] = "INFO"

    @property
    def signs_in(self) -> bool:
        """Whether people can sign in on our pages."""
        return bool(self.gitlab_oauth_id and self.gitlab_oauth_secret)


def _faults(settings: type[_Variables], invalid: ValidationError) -> list[SettingFault]:
    """One fault for each variable, in the order of the contract."""
    said = messages("settings")
    kinds = {str(error["loc"][0]): error["type"] for error in reversed(invalid.errors(include_input=False, include_context=False))}
    return [
        SettingFault(f"{PREFIX}{name.upper()}", said["missing" if kinds[name] == "missing" else "bad"].format(expected=said[name]))
        for name in settings.model_fields
        if name in kinds
    ]
