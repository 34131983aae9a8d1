"""What changes under running cases: another file, or a day on which an office begins or ends. Every open case is told, once per change.

A fingerprint of all that cases depend on is compared with the one told last; it is of today, so no file need change for it to change.
"""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

from integration import codec
from integration.doorbell import Doorbell
from integration.procedure.definition import Procedure
from integration.procedure.facts import SERVICE, OrganisationChanged
from integration.procedure.offices import Organisation
from integration.store import Delivery, Store
from integration.vacancies import Vacancy, office_roles, vacancies

TOLD = "organisasi"
"""The mark under which it is remembered how often cases were told, and what of: "12:<fingerprint>"."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Roster:
    """Looks at who holds the offices today and when there is work. Several may look at once: the store keeps each change once."""

    store: Store
    procedures: Sequence[Procedure]
    bell: Doorbell
    _alarmed: tuple[Vacancy, ...] = ()
    _printed: tuple[Organisation, date, str] | None = None

    def look(self, organisation: Organisation) -> int:
        """Put a change into the inbox of every open case; gives how many rows are new. The first look ever finds none. Raises StoreDown."""
        self._alarm(organisation)
        found = self.fingerprint(organisation)
        number, _, told = (self.store.mark(TOLD) or "").partition(":")
        if told == found:
            return 0
        fresh = 0
        if told:
            key = f"organisasi:{int(number) + 1}:{found}"
            fact = codec.fact_bytes(OrganisationChanged(key, self.store.clock(), SERVICE))
            cases = (row.ticket for row in self.store.case_rows(open_only=True) if row.version)
            fresh = self.store.keep_all(Delivery("clock", f"{ticket}:{key}", ticket, fact) for ticket in cases)
        self.store.set_mark(TOLD, f"{int(number or 0) + 1}:{found}")
        if fresh:
            log.info("offices or working time changed: %d open cases are looked at again", fresh)
            self.bell.ring()
        return fresh

    def fingerprint(self, organisation: Organisation) -> str:
        """Who holds each office today, who programs, and the working time; nothing that cases do not depend on."""
        calendar = organisation.calendar
        day = self.store.clock().astimezone(calendar.tz).date()
        if self._printed is not None and self._printed[0] is organisation and self._printed[1] == day:
            return self._printed[2]
        roles = sorted(office_roles(self.procedures))
        said = {
            "offices": [[(o.role, o.account, o.name, o.holding) for o in organisation.holders(role, day)] for role in roles],
            "programmers": sorted((programmer.account, programmer.name) for programmer in organisation.programmers),
            "zone": str(calendar.tz),
            "hours": [asdict(period) for period in calendar.periods],
            "days_off": [asdict(off) for _, off in sorted(calendar.days_off.items())],
            "years": sorted(calendar.years),
        }
        found = hashlib.sha256(json.dumps(said, default=str, sort_keys=True).encode()).hexdigest()[:16]
        self._printed = (organisation, day, found)
        return found

    def _alarm(self, organisation: Organisation) -> None:
        """Say which offices nobody holds, when that begins and whenever more or fewer cases wait because of it."""
        empty = vacancies(self.store, self.procedures, organisation)
        for vacancy in empty:
            if vacancy not in self._alarmed:
                log.error("nobody holds the office %s: %d open cases wait for it", vacancy.role.slug, vacancy.cases)
        self._alarmed = empty
