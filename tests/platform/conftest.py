"""The forge the platform suite runs against: the stand-in, or a real GitLab where one is named.

Set ALUR_TEST_GITLAB_URL and ALUR_TEST_GITLAB_TOKEN (an administrator's token with scope `api`) to run against a real one. The suite
then makes its own accounts, tokens and project and deletes them at the end; it needs no runner and no repository. Hooks are sent to
this machine: ALUR_TEST_RECEIVER_HOST names it as the GitLab sees it, and the administrator must allow requests to it.

Rule: nothing here or in the tests knows which of the two it talks to, except `Forge.stand_in`.
"""

import os
import queue
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import gitlab
import pytest
from gitlab.v4.objects import Project, ProjectIssue

from sandbox.gitlab import GitLab

LEVELS = {"guest": 10, "planner": 15, "reporter": 20, "developer": 30, "maintainer": 40}
URL, TOKEN = os.environ.get("ALUR_TEST_GITLAB_URL", ""), os.environ.get("ALUR_TEST_GITLAB_TOKEN", "")


@dataclass(slots=True)
class Account:
    """An account of the forge with a client of its own. `project` is the suite's project seen by it."""

    id: int
    username: str
    token: str
    client: gitlab.Gitlab
    project: Project


@dataclass(slots=True)
class Forge:
    """Where the suite runs. `bot` is a Maintainer, `people` holds one account per role and a stranger without membership."""

    url: str
    admin: gitlab.Gitlab
    project: Project
    bot: Account
    people: dict[str, Account]
    patience: float
    stand_in: GitLab | None = None
    names: Iterator[str] = field(default_factory=lambda: (f"{word}" for word in iter(lambda: secrets.token_hex(4), "")))

    def issue(self, **fields: Any) -> ProjectIssue:
        """Open an issue as the bot."""
        return self.bot.project.issues.create({"title": "Uji", "description": "Uraian."} | fields)

    def fresh(self, issue: ProjectIssue) -> ProjectIssue:
        """Read an issue again, as the bot."""
        return self.bot.project.issues.get(issue.iid)

    def word(self) -> str:
        """A name nobody used before."""
        return f"uji-{next(self.names)}"

    def label(self, name: str | None = None) -> str:
        """Create a label and return its name."""
        return str(self.bot.project.labels.create({"name": name or self.word(), "color": "#1f75cb"}).name)


def _client(url: str, token: str) -> gitlab.Gitlab:
    return gitlab.Gitlab(url, private_token=token, timeout=30, keep_base_url=True)


def _account(admin: gitlab.Gitlab, project_id: int, role: str) -> Account:
    name = f"alur-uji-{role}-{secrets.token_hex(4)}"
    user = admin.users.create(
        {"username": name, "name": name, "email": f"{name}@example.org", "force_random_password": True, "skip_confirmation": True}
    )
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    token = user.personal_access_tokens.create({"name": "uji", "scopes": ["api"], "expires_at": tomorrow}).token
    client = _client(admin.url, token)
    return Account(user.id, name, token, client, client.projects.get(project_id, lazy=True))


@pytest.fixture(scope="session")
def forge() -> Iterator[Forge]:
    """The stand-in, or the real GitLab of the environment, with a project and people of its own."""
    stand_in = None if URL else GitLab().start()
    token = TOKEN if stand_in is None else stand_in.user("root", "Administrator", admin=True).token
    admin = _client(URL or stand_in.url, token)
    project = admin.projects.create({"name": f"alur-uji-{secrets.token_hex(4)}", "visibility": "private"})
    accounts: dict[str, Account] = {}
    try:
        for role in ("bot", "stranger", *LEVELS):
            accounts[role] = _account(admin, project.id, role)
            level = LEVELS["maintainer"] if role == "bot" else LEVELS.get(role)
            if level:
                project.members.create({"user_id": accounts[role].id, "access_level": level})
        bot = accounts.pop("bot")
        yield Forge(admin.url, admin, project, bot, accounts, 5 if stand_in else 30, stand_in)
        accounts["bot"] = bot
        if stand_in:
            assert stand_in.unknown == [], "the suite used calls the stand-in does not know"
    finally:
        project.delete()
        for account in accounts.values():
            admin.users.delete(account.id, hard_delete=True)
        if stand_in:
            stand_in.stop()


@dataclass(slots=True)
class Arrival:
    """One delivery as the receiver got it."""

    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def action(self) -> str:
        """What happened: `open`, `update`, `close`, `create` ..."""
        return str(self.body["object_attributes"].get("action"))


class Receiver:
    """A web server of the test that hooks are sent to. `answer` is the status it gives."""

    def __init__(self, host: str, patience: float) -> None:
        import json  # noqa: PLC0415 - only the inner class needs it

        arrivals: queue.Queue[Arrival] = queue.Queue()
        receiver = self

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                arrivals.put(Arrival(dict(self.headers.items()), body))
                self.send_response(receiver.answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                """Stay quiet."""

        self.answer, self.patience = 200, patience
        self._arrivals, self._kept = arrivals, list[Arrival]()
        self._server = ThreadingHTTPServer((host, 0), Answer)
        self.url = f"http://{host}:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def wait(self, count: int, wanted: Callable[[Arrival], bool] = lambda _arrival: True) -> list[Arrival]:
        """Return the first `count` wanted arrivals, in the order they came; fails after the forge's patience."""
        end = time.monotonic() + self.patience
        while len(found := [arrival for arrival in self._kept if wanted(arrival)]) < count:
            try:
                self._kept.append(self._arrivals.get(timeout=max(0.0, end - time.monotonic())))
            except queue.Empty:
                pytest.fail(f"{len(found)} of {count} deliveries came within {self.patience} s: {self._kept}")
        return found[:count]

    def silence(self, wanted: Callable[[Arrival], bool], seconds: float) -> None:
        """Fail where a wanted delivery comes within this time."""
        time.sleep(seconds)
        while not self._arrivals.empty():
            self._kept.append(self._arrivals.get())
        assert [arrival for arrival in self._kept if wanted(arrival)] == []

    def stop(self) -> None:
        """Give the port back."""
        self._server.shutdown()
        self._server.server_close()


def _own_address(url: str) -> str:
    """The address of this machine as that server sees it."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)), timeout=10) as connection:
        return str(connection.getsockname()[0])


SECRET = "rahasia-uji"
FLAGS = {
    "issues_events": True,
    "confidential_issues_events": True,
    "note_events": True,
    "confidential_note_events": True,
    "push_events": False,
}


@pytest.fixture
def receiver(forge: Forge) -> Iterator[Receiver]:
    """A receiver with a hook of the project that sends every issue and comment event to it."""
    receiver = Receiver(os.environ.get("ALUR_TEST_RECEIVER_HOST") or _own_address(forge.url), forge.patience)
    try:
        hook = forge.bot.project.hooks.create({"url": receiver.url, "token": SECRET, **FLAGS})
    except gitlab.GitlabCreateError as refusal:
        receiver.stop()
        pytest.skip(f"this GitLab may not send hooks to {receiver.url}: {refusal}")
    yield receiver
    hook.delete()
    receiver.stop()
