"""The composition root: every part of the service, put together from the settings, in one place.

What holds connections or is not safe to share is made anew for each thread and each process that asks.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from urllib.parse import unquote, urlsplit

from integration import tracing
from integration.clock import Clock, utc_now
from integration.faults import RateLimited
from integration.figures import Tally
from integration.links import Links
from integration.parts import Parts
from integration.settings import Settings
from integration.store import InboxRow, OutboxRow, Turn, Work
from integration.vitals import Diary, Recurring
from sync.archive import Archives
from sync.attachments import Attachments
from sync.clock import Clockwork
from sync.display import Display
from sync.drain import Asking, Drain, asked_for
from sync.gitlab import AT_ONCE, Platform, Slot
from sync.inbox import Inbox
from sync.mail import Mail
from sync.outbox import Outbox
from sync.portal import Portal
from sync.privacy import Privacy
from sync.provision import Change, Provision
from sync.reconcile import Reconciler
from sync.roster import Roster
from sync.today import Today
from sync.wording import Wording

NIGHT = timedelta(hours=2)  # local time from which all open issues and cases are compared, once a day
LAST_NIGHT = "sapuan-malam"  # the mark under which the last such night is remembered


def build(settings: Settings, clock: Clock = utc_now) -> "Service":
    """The service these settings describe, its tables made ready. Raises StoreDown, InvalidProcedure, OrganisationFaults."""
    tracing.configure(settings.traces_url)
    parts = Parts.of(settings, clock)
    parts.store.migrate()
    return Service(parts)


class Service:
    """The parts of one process. `drain` and `reconciler` belong to the thread that asks first; others take `worker`."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.store = parts.store
        self.files = parts.files
        self.bell = parts.bell
        self.roster = Roster(parts.store, parts.procedures, parts.bell)
        self.diary = Diary(parts.store)
        self._display: Display | None = None
        self._eyes: tuple[Settings, Reconciler] | None = None

    @property
    def display(self) -> Display:
        """How cases look under the organisation in force now; the same one until another is."""
        organisation = self.parts.organisation
        made = self._display
        if made is None or made.organisation is not organisation:
            made = self._display = Display(self.parts.procedures, organisation, Wording(organisation))
        return made

    @cached_property
    def clockwork(self) -> Clockwork:
        """This process's look at the time; `tick` tells it the organisation in force."""
        return Clockwork(self.store, self.parts.organisation, self.bell)

    @cached_property
    def drain(self) -> Drain:
        """This thread's hands."""
        return self.worker(threading.Event())

    @property
    def reconciler(self) -> Reconciler:
        """This thread's eyes, by the secrets in force."""
        settings = self.parts.rotation.now
        if self._eyes is None or self._eyes[0] is not settings:
            provision = self.provisioning(setting_up=False)
            self._eyes = settings, Reconciler(self.store, provision.platform, self.parts.clock, provision)
        return self._eyes[1]

    @property
    def today(self) -> Today:
        """This thread's hand on the page of today."""
        return Today(self.store, self.reconciler.platform, self.parts.clock)

    @property
    def archives(self) -> Archives:
        """This thread's hand on the archives."""
        return Archives(self.store, self.files, self.reconciler.platform, self.parts.clock)

    @property
    def privacy(self) -> Privacy:
        """The hand on what is kept of persons."""
        return Privacy(self.store, self.files, self.display, self.parts.clock)

    def platform(self, *, setting_up: bool = False, slot: Slot = AT_ONCE) -> Platform:
        """A new client of the platform: with the rights of every day, or with those that setting up takes; `slot`: see Platform."""
        settings = self.parts.rotation.now
        token = settings.gitlab_setup_token if setting_up and settings.gitlab_setup_token else settings.gitlab_token
        return Platform(settings.gitlab_url, token.get_secret_value(), settings.gitlab_project, slot=slot)

    def worker(self, stop: threading.Event, lock: "threading.RLock | None" = None) -> Drain:
        """Hands for one thread, with a platform client of their own; `stop` ends their work after the row in hand, `lock`: see Asking."""
        tally, asking = Tally(), Asking(self.store, lock or threading.RLock())
        hands = EachRow(asking, lambda: self._hands(tally, asking), lambda: self.parts.rotation.now, lambda: self.display)
        return Drain(self.store, hands, hands, stop, tally, self.bell.ring)

    def _hands(self, tally: Tally, slot: Slot) -> tuple[Inbox, Outbox]:
        """What works rows off by the secrets in force now, and counts what it asks of the platform in `tally`."""
        store, files, clock, settings = self.store, self.files, self.parts.clock, self.parts.rotation.now
        platform = self.platform(slot=slot)
        clearing = self.platform(setting_up=True, slot=slot) if settings.gitlab_setup_token else platform
        platform.tally = clearing.tally = tally
        inbox = Inbox(store, platform, files, self.display, clock, by_mail=bool(settings.smtp_url))
        looked_over = Attachments(store, files, settings.attachment_hosts, settings.clamd_url or "")
        hands = (Links.of(settings), looked_over, clearing, settings.signs_in, self._portal(), self._mail())
        return inbox, Outbox(store, platform, files, self.display, clock, *hands)

    def provisioning(self, hook_url: str = "", *, setting_up: bool = True) -> Provision:
        """What makes the platform's project ready; GitLab is to call `hook_url`, or our public address."""
        settings = self.parts.rotation.now
        secret = settings.gitlab_webhook_secret.get_secret_value()
        platform, url = self.platform(setting_up=setting_up), hook_url or f"{settings.public_url}/webhooks/gitlab"
        return Provision(platform, self.store, self.parts.procedures, url, secret)

    def provision(self, *, hook_url: str = "") -> list[Change]:
        """Make the platform's project ready; gives what had to be done. Raises Transient, Permanent, StoreDown."""
        return self.provisioning(hook_url).apply()

    def tick(self) -> int:
        """Find what time brings, and who holds an office or when there is work otherwise than before; gives how many rows are new.

        Raises StoreDown.
        """
        organisation = self.clockwork.organisation = self.parts.organisation
        fresh = self.roster.look(organisation) + self.clockwork.tick()  # a due time is counted anew before it is found to be past
        self.diary.done(Recurring.TICK)
        return fresh

    def sweep(self) -> int:
        """Find what no hook told: what changed lately, and once a night all that is open; then show what is open on the wiki.

        In the night what has ended is archived, too. While the platform has asked for a pause, nothing is asked.

        Raises Transient, Permanent, StoreDown.
        """
        if self.store.paused_until() is not None:
            return 0
        with self._obeying():
            found = self._looked(self.reconciler.sweep)
            local = self.parts.clock().astimezone(self.parts.organisation.calendar.tz)
            night = (local - NIGHT).date().isoformat()
            if self.store.mark(LAST_NIGHT) != night:
                found += self._looked(self.reconciler.open_ones)
                self.archives.night(self.display)
                self.store.set_mark(LAST_NIGHT, night)
                self.diary.done(Recurring.NIGHT)
            self.today.show(self.display)
        self.diary.done(Recurring.SWEEP)
        return found

    @contextmanager
    def _obeying(self) -> Iterator[None]:
        """A pause the platform asks for meanwhile is one of all workers."""
        try:
            yield
        except RateLimited as fault:
            self.store.close_quota(fault.of, asked_for(fault.retry_after))
            raise

    def reconcile(self, *, full: bool = False) -> int:
        """Compare the platform with the store, what changed lately or everything, and have the rest looked at; gives how much that is.

        Raises Transient, Permanent, StoreDown.
        """
        with self._obeying():
            return self._looked(self.reconciler.full if full else self.reconciler.sweep)

    def _looked(self, look: Callable[[], int]) -> int:
        """Look, tell what was counted meanwhile, and ring where something was found."""
        try:
            found = look()
        finally:
            self.reconciler.platform.tally.tell(self.store)
        if found:
            self.bell.ring()
        return found

    def _portal(self) -> Portal | None:
        settings = self.parts.rotation.now
        url = settings.portal_callback_url
        return Portal(url, settings.portal_secrets[0].get_secret_value(), self.parts.clock) if url else None

    def _mail(self) -> Mail | None:
        settings = self.parts.rotation.now
        return Mail(settings.smtp_url.get_secret_value(), sender(settings)) if settings.smtp_url else None


class EachRow:
    """One thread's inbox and outbox; each row is worked off by the organisation and the secrets in force when it is begun."""

    def __init__(
        self,
        asking: Asking,
        made: Callable[[], tuple[Inbox, Outbox]],
        settings: Callable[[], Settings],
        display: Callable[[], Display],
    ) -> None:
        self._asking, self._made, self._settings, self._display = asking, made, settings, display
        self._by = settings()
        self._inbox, self._outbox = made()

    def process(self, turn: Turn, row: InboxRow) -> Work | None:
        """See sync.inbox."""
        self._begin(turn)
        return replace(self._inbox, display=self._display()).process(turn, row)

    def perform(self, turn: Turn, row: OutboxRow) -> Work | None:
        """See sync.outbox."""
        self._begin(turn)
        return replace(self._outbox, display=self._display()).perform(turn, row)

    def _begin(self, turn: Turn) -> None:
        """A row of this lane comes next; where a secret is another, both are made anew."""
        self._asking.about(turn)
        settings = self._settings()
        if settings is not self._by:
            self._by, (self._inbox, self._outbox) = settings, self._made()


def sender(settings: Settings) -> str:
    """The From address of mail: the name the mail server knows us by where that is an address, else one at our public host."""
    name = unquote(urlsplit(settings.smtp_url.get_secret_value()).username or "") if settings.smtp_url else ""
    return name if "@" in name else f"alur-pos@{urlsplit(settings.public_url).hostname}"
