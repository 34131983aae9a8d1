"""A stand-in with a simulated clock, a bot and a few people, fresh for every test."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import gitlab
import pytest

from sandbox.gitlab import GitLab, Person, Project, User


@dataclass(slots=True)
class Clock:
    """A clock that stands still until it is moved."""

    now: datetime = field(default_factory=lambda: datetime(2026, 11, 23, 1, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass(slots=True)
class Campus:
    """The stand-in and who works on it."""

    forge: GitLab
    clock: Clock
    project: Project
    bot: User
    reporter: User
    client: gitlab.Gitlab

    def act(self, user: User | None = None) -> Person:
        return self.forge.act(user or self.bot)

    def raw(self, method: str, path: str, **rest):
        """Call the API as the bot and return the HTTP answer whatever it is, also a refusal."""
        return self.client.session.request(
            method, f"{self.forge.url}/api/v4{path}", headers={"PRIVATE-TOKEN": self.bot.token}, timeout=10, **rest
        )


@pytest.fixture
def campus() -> Iterator[Campus]:
    clock = Clock()
    with GitLab(clock, seed=7) as forge:
        bot, reporter = forge.user("alur-bot", "Alur"), forge.user("budi", "Budi Santoso")
        project = forge.project("pustikom/pengaduan-si")
        forge.member(project, bot, 40)
        forge.member(project, reporter, 20)
        client = gitlab.Gitlab(forge.url, private_token=bot.token, timeout=10)
        yield Campus(forge, clock, project, bot, reporter, client)
