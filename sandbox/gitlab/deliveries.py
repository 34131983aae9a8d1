"""Hook deliveries: posted by background threads, in no promised order, sometimes lost, never tried again (behaviour.md 1.2, 1.3).

Rule: an answer of the receiver is only logged. Neither a refusal nor a time-out brings the event back.
"""

from __future__ import annotations

import heapq
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from sandbox.gitlab.entities import Hook, HookLog
from sandbox.gitlab.store import VERSION

if TYPE_CHECKING:
    from sandbox.gitlab.entities import Project
    from sandbox.gitlab.store import Store

TIMEOUT = 10
CHAIN = 100  # so many hooks in one chain of causes, no more
WORKERS = 4
LONGEST_DELAY = 0.05


@dataclass(slots=True)
class Delivery:
    """What was sent to a hook: its event name (`Issue Hook`), body, headers, and the receiver's status; None where lost or unreachable."""

    event: str
    url: str
    body: dict[str, Any]
    headers: dict[str, str]
    lost: bool = False
    status: int | None = None


@dataclass(slots=True)
class _Letter:
    hook: Hook
    flag: str
    event: str
    build: Callable[[], dict[str, Any]]
    headers: dict[str, str]
    lost: bool


class PostOffice:
    """Takes events and posts them to the hooks of their project."""

    def __init__(self, store: Store) -> None:
        self.lost = 0.0
        self.shuffled = False
        self.local = True
        self.deliveries: list[Delivery] = []
        self._store = store
        self._seen: dict[str, set[int]] = defaultdict(set)
        self._waiting: list[tuple[float, int, _Letter]] = []
        self._count = 0
        self._busy = 0
        self._open = False
        self._bell = threading.Condition()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the posting threads."""
        self._open = True
        self._threads = [threading.Thread(target=self._work, name=f"hook-{number}", daemon=True) for number in range(WORKERS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop posting; what still waits is dropped."""
        with self._bell:
            self._open = False
            self._waiting.clear()
            self._bell.notify_all()
        for thread in self._threads:
            thread.join(TIMEOUT)

    def settle(self, timeout: float) -> None:
        """Wait until nothing waits and nothing is on its way. Raises TimeoutError after `timeout` seconds."""
        with self._bell:
            if not self._bell.wait_for(lambda: not self._waiting and not self._busy, timeout):
                message = f"{len(self._waiting)} deliveries wait and {self._busy} are on their way after {timeout} s"
                raise TimeoutError(message)

    def fire(self, project: Project, flag: str, build: Callable[[], dict[str, Any]], *, cause: str | None = None) -> None:
        """Send an event to every hook of the project with this flag. `cause` is the X-Gitlab-Event-UUID of the call that led to it."""
        for hook in project.hooks.values():
            if hook.flags.get(flag) and self._allowed(hook, cause):
                self._enqueue(hook, flag, build, cause or self._store.unique())

    def send(self, hook: Hook, flag: str, body: dict[str, Any], *, key: str | None = None) -> None:
        """Send one event to one hook: a test, or the same event (and key) again."""
        self._enqueue(hook, flag, lambda: body, self._store.unique(), key)

    def blocked(self, url: str) -> bool:
        """Whether the instance calls no such address: its administrator has to allow requests to the local network (behaviour.md 1.2)."""
        host = urlsplit(url).hostname or ""
        try:
            return not self.local and not ip_address(host).is_global
        except ValueError:
            return not self.local and host == "localhost"

    def _allowed(self, hook: Hook, cause: str | None) -> bool:
        if cause is None:
            return True
        seen = self._seen[cause]
        return hook.id not in seen and len(seen) < CHAIN

    def _enqueue(self, hook: Hook, flag: str, build: Callable[[], dict[str, Any]], chain: str, key: str | None = None) -> None:
        self._seen[chain].add(hook.id)
        event = EVENTS[flag]
        headers = dict(hook.custom_headers) | {
            "Content-Type": "application/json",
            "User-Agent": f"GitLab/{VERSION}",
            "Idempotency-Key": key or self._store.unique(),
            "X-Gitlab-Event": event,
            "X-Gitlab-Webhook-UUID": self._store.unique(),
            "X-Gitlab-Instance": self._store.url,
            "X-Gitlab-Event-UUID": chain,
        }
        if hook.token:
            headers["X-Gitlab-Token"] = hook.token
        letter = _Letter(hook, flag, event, build, headers, self._store.random.random() < self.lost)
        delay = self._store.random.uniform(0, LONGEST_DELAY) if self.shuffled else 0.0
        with self._bell:
            self._count += 1
            heapq.heappush(self._waiting, (time.monotonic() + delay, self._count, letter))
            self._bell.notify_all()

    def _work(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while letter := self._next():
                try:
                    self._post(session, letter)
                finally:
                    with self._bell:
                        self._busy -= 1
                        self._bell.notify_all()

    def _next(self) -> _Letter | None:
        with self._bell:
            while self._open:
                pause = self._waiting[0][0] - time.monotonic() if self._waiting else None
                if pause is not None and pause <= 0 and (self.shuffled or not self._busy):
                    self._busy += 1
                    return heapq.heappop(self._waiting)[2]
                self._bell.wait(pause if pause is not None and pause > 0 else None)
        return None

    def _post(self, session: requests.Session, letter: _Letter) -> None:
        with self._store.lock:
            body = letter.build()
        text = json.dumps(body, ensure_ascii=False)
        delivery = Delivery(letter.event, letter.hook.url, body, letter.headers, lost=letter.lost)
        started = time.monotonic()
        answer = ""
        if not letter.lost and not self.blocked(letter.hook.url):
            try:
                reply = session.post(
                    letter.hook.url, data=text.encode(), headers=letter.headers, timeout=TIMEOUT, verify=letter.hook.enable_ssl_verification
                )
                delivery.status, answer = reply.status_code, reply.text[:8192]
            except requests.RequestException as error:
                answer = type(error).__name__
        with self._store.lock:
            self.deliveries.append(delivery)
            if not letter.lost:
                self._log(letter, delivery, text, answer, time.monotonic() - started)

    def _log(self, letter: _Letter, delivery: Delivery, text: str, answer: str, duration: float) -> None:
        status = str(delivery.status) if delivery.status is not None else "internal error"
        number = self._store.number("hook_log")
        headers = {key: "[REDACTED]" if key == "X-Gitlab-Token" else value for key, value in letter.headers.items()}
        letter.hook.log.append(
            HookLog(number, letter.hook.url, letter.flag, headers, text, status, answer, round(duration, 4), self._store.now())
        )


EVENTS = {
    "issues_events": "Issue Hook",
    "confidential_issues_events": "Confidential Issue Hook",
    "note_events": "Note Hook",
    "confidential_note_events": "Confidential Note Hook",
    "wiki_page_events": "Wiki Page Hook",
    "emoji_events": "Emoji Hook",
    "resource_access_token_events": "Resource Access Token Hook",
    "milestone_events": "Milestone Hook",
}
