"""One stand-in instance: its people and projects, its server, its hooks and its faults, in one object.

Rule: nothing outside this package reaches into the records; tests and the demo use these names and HTTP.
"""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from types import TracebackType
from typing import Self

from sandbox.gitlab import issues, oauth, pages, server
from sandbox.gitlab.acting import Acting
from sandbox.gitlab.deliveries import Delivery, PostOffice
from sandbox.gitlab.entities import Project, User
from sandbox.gitlab.faults import Fault
from sandbox.gitlab.oauth import Application
from sandbox.gitlab.person import Person
from sandbox.gitlab.server import Desk, Request, Server
from sandbox.gitlab.store import Store


class GitLab:
    """A GitLab of the Free tier with its own HTTP server on a free loopback port.

    `clock` gives aware UTC times and may be simulated; `seed` makes losses, order and ids of deliveries repeatable.
    """

    def __init__(self, clock: Callable[[], datetime] | None = None, *, seed: int = 0) -> None:
        self._store = Store(clock, seed)
        self._post = PostOffice(self._store)
        self._desk = Desk(self._store, self._post)
        app = server.build(self._desk)
        pages.attach(app, self._store)
        self._oauth = oauth.attach(app, self._store)
        self._server = Server(app)
        self._store.url = self._server.url

    def start(self) -> Self:
        """Begin to answer and to deliver."""
        self._post.start()
        self._server.start()
        return self

    def stop(self) -> None:
        """Stop answering and delivering; what still waits is dropped."""
        self._server.stop()
        self._post.stop()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop."""
        self.stop()

    # who and where

    @property
    def url(self) -> str:
        """The instance's address, `http://127.0.0.1:PORT`."""
        return self._store.url

    def user(self, username: str, name: str, *, admin: bool = False) -> User:
        """Create an account; its `token` is a personal access token with scope `api`."""
        with self._store.lock:
            return self._store.add_user(username, name, admin=admin)

    def account(self, username: str) -> User:
        """The account of this name. Raises LookupError where there is none."""
        found = self._store.user_named(username)
        if found is None:
            raise LookupError(username)
        return found

    def project(self, path: str, *, visibility: str = "private") -> Project:
        """Create an empty project, `group/name`, without members."""
        with self._store.lock:
            return self._store.add_project(path, None, visibility)

    def member(self, project: Project, user: User, level: int) -> None:
        """Make somebody a member with an access level: 10, 15, 20, 30, 40 or 50."""
        with self._store.lock:
            self._store.join(project, user, level)

    def expire(self, user: User) -> None:
        """The account's token is refused from now on: its last day is over."""
        self.ends(user, self._store.now().date())

    def ends(self, user: User, day: date) -> None:
        """From this day on the account's token is refused."""
        with self._store.lock:
            self._store.tokens[user.token].expires_at = day

    def narrow(self, user: User, *scopes: str) -> None:
        """The account's token reaches only so far from now on."""
        with self._store.lock:
            self._store.tokens[user.token].scopes = scopes

    def rotate(self, user: User) -> str:
        """Give the account another token, also as `user.token`; the one before is refused at once."""
        with self._store.lock:
            self._store.tokens[user.token].revoked = True
            user.token, _ = self._store.add_token(user, "baru", ("api",))
        return user.token

    def application(self, redirect_uri: str) -> Application:
        """Register an OAuth application, so that people can sign in at `redirect_uri`'s place with their account here."""
        return self._oauth.register(redirect_uri)

    def act(self, user: User) -> Person:
        """Return somebody who works in the browser as this account."""
        return Person(self._store, user)

    def mention(self, user: User, project: Project, iid: int, what: str) -> None:
        """Somebody pushes a commit, or writes a merge request, that mentions the issue; `what`: as GitLab refers to it, "commit 1a2b3c...".

        Repositories are no part of the stand-in: what is left of it on the issue is GitLab's own note, which touches it and fires no hook.
        """
        with self._store.lock:
            acting, issue = Acting(self._store, self._post, self._desk.limits, user), project.issues[iid]
            issues.system_note(acting, issue, f"mentioned in {what}")
            issues.touch(acting, issue)

    # what it remembers

    @property
    def memory(self) -> object:
        """All that people have made here and what was delivered, not copied: pickled, it can be kept, and later given to any instance."""
        with self._store.lock:
            return self._store.records, self._post.deliveries

    @memory.setter
    def memory(self, memory: tuple[dict[str, object], list[Delivery]]) -> None:
        with self._store.lock:
            self._store.records, self._post.deliveries = memory

    # what it did

    @property
    def deliveries(self) -> list[Delivery]:
        """Every delivery, in the order it was finished."""
        return self._post.deliveries

    @property
    def requests(self) -> list[Request]:
        """Every API request with its answer's status; `requests.clear()` starts the count again."""
        return self._desk.requests

    @property
    def unknown(self) -> list[str]:
        """Calls, parameters and quick actions the stand-in does not know: empty in a good run."""
        return self._desk.unknown

    @property
    def limits(self) -> dict[str, int]:
        """Calls per minute by kind: `notes_create`, `issues_create`, `search`; 0 is without limit."""
        return self._desk.limits.per_minute

    def settle(self, timeout: float = 10) -> None:
        """Wait until the requests in hand are done and every queued delivery was delivered or lost. Raises TimeoutError after so long."""
        self._desk.settle(timeout)
        self._post.settle(timeout)

    # what goes wrong

    @property
    def hooks_lost(self) -> float:
        """The share of deliveries that never arrive, 0.0 to 1.0."""
        return self._post.lost

    @hooks_lost.setter
    def hooks_lost(self, share: float) -> None:
        self._post.lost = share

    @property
    def hooks_shuffled(self) -> bool:
        """Whether deliveries go out at once, late and in any order."""
        return self._post.shuffled

    @hooks_shuffled.setter
    def hooks_shuffled(self, shuffled: bool) -> None:
        self._post.shuffled = shuffled

    @property
    def local_requests(self) -> bool:
        """Whether hooks may call addresses of the local network, as an administrator allows it; on in the stand-in, off in a new GitLab."""
        return self._post.local

    @local_requests.setter
    def local_requests(self, allowed: bool) -> None:
        self._post.local = allowed

    @property
    def skew(self) -> timedelta:
        """How far its clock is ahead of the others."""
        return self._store.skew

    @skew.setter
    def skew(self, ahead: timedelta) -> None:
        self._store.skew = ahead

    @property
    def most_labels(self) -> int:
        """How many labels an issue may carry; 0: as many as one likes."""
        return self._desk.limits.labels

    @most_labels.setter
    def most_labels(self, number: int) -> None:
        self._desk.limits.labels = number

    def mend(self) -> None:
        """Disarm all faults that are still to come."""
        self._desk.faults.clear()

    def fault(  # noqa: PLR0913 - one keyword per kind of fault
        self,
        method: str,
        path: str,
        *,
        times: int = 1,
        status: int | None = None,
        after_commit: bool = False,
        latency: float = 0,
        drop: bool = False,
        cut: bool = False,
        says: str | None = None,
        headers: dict[str, str] | None = None,
        by: User | None = None,
    ) -> None:
        """Arm a fault for the next `times` API requests of this method (`*` for any) whose path matches the regular expression.

        Only those `by` this account, where one is given.

        `status` answers so instead, `says` with this body (HTML, or JSON right or wrong; 200 where no status is given), `drop` breaks the
        connection; with `after_commit` the deed is done first. `cut` ends the true answer in its middle. `latency` is in seconds.
        """
        account = by.id if by else None
        fault = Fault(method.upper(), re.compile(path), times, status, after_commit, latency, drop, cut, says, headers or {}, account)
        self._desk.faults.add(fault)
