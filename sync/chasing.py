"""The chasing of progress reports across cases: who is told what, by mail where an address is known, else on one issue.

A message is told once under the key of its week, kind and person. Which cases are one person's stands in mail to them and to whoever leads
them, and in no note (UU PDP): a note says it of its own case alone.
"""

import logging
from dataclasses import dataclass
from datetime import date, datetime

from integration import codec
from integration.procedure.case import Case, fold
from integration.procedure.chasing import Digest, Owed, owed, to_the_office_above, to_those_in_charge
from integration.procedure.definition import Procedure, by_revision
from integration.procedure.effects import SendMail
from integration.procedure.facts import SERVICE, Chase, ReportsOwed
from integration.store import Delivery, Store
from sync.display import Display

log = logging.getLogger(__name__)

TEMPLATES = {Chase.ASK: "laporan-progres", Chase.REMIND: "laporan-progres", Chase.LIST: "daftar-progres"}


@dataclass(frozen=True, slots=True)
class Chasing:
    """The chasing of one week at one moment. `by_mail`: whether there is a mail server to send by."""

    store: Store
    display: Display
    kind: Chase
    week: str
    now: datetime
    by_mail: bool

    def messages(self) -> tuple[list[SendMail], list[Delivery]]:
        """What is sent, and what is told to the cases on whose issues somebody is called."""
        mails: list[SendMail] = []
        told: list[Delivery] = []
        for digest in self._digests():
            address = self.display.organisation.address(digest.account, self._day) if self.by_mail else ""
            if address:
                mails.append(self._mail(digest, address))
            else:
                told.append(self._told(digest))
        return mails, told

    @property
    def _day(self) -> date:
        return self.now.astimezone(self.display.organisation.calendar.tz).date()

    def _digests(self) -> tuple[Digest, ...]:
        organisation, found = self.display.organisation, self._owed()
        if self.kind is not Chase.LIST:
            return to_those_in_charge(one for one, _ in found)
        procedures = {one.case.ticket: procedure for one, procedure in found}
        return to_the_office_above(procedures, organisation, [one for one, _ in found], self._day)

    def _owed(self) -> list[tuple[Owed, Procedure]]:
        """All reports that are not there, in the order the cases were opened. Only cases that stand where reports are owed are read."""
        known = by_revision(self.display.procedures)
        tickets = []
        for row in self.store.case_rows(open_only=True):
            procedure = known.get((row.procedure, row.revision))
            if procedure is None and row.version:  # one case that cannot be read here keeps nobody else's from being asked for
                log.error("%s: its procedure is not loaded here, nobody is asked for its report", row.ticket)
            elif procedure and procedure.duty and row.iid and procedure.duty.covers(row.step):
                tickets.append(row.ticket)
        found = []
        for case in filter(None, map(fold, self.store.ledgers(tickets))):
            procedure = self.display.procedure(case)
            one = owed(self.kind, procedure, self.display.organisation, case, self.week, self.now)
            found += [(one, procedure)] if one else []
        return found

    def _mail(self, digest: Digest, address: str) -> SendMail:
        context: dict[str, object] = {
            "week": self.week,
            "kind": self.kind.value,
            "name": digest.name,
            "cases": [_shown(one) for one in digest.owed],
            "word": self._word(digest.owed[0].case),
        }
        return SendMail(f"mail:progres:{self.kind}:{self.week}:{digest.account}", TEMPLATES[self.kind], (address,), context)

    def _told(self, digest: Digest) -> Delivery:
        tickets = tuple(one.case.ticket for one in digest.owed)
        key = f"progres:{self.kind}:{self.week}:{digest.account}"
        fact = ReportsOwed(key, self.now, SERVICE, self.week, self.kind, digest.account, tickets)
        return Delivery("clock", key, tickets[0], codec.fact_bytes(fact))  # one a person, also where another case is the oldest by now

    def _word(self, case: Case) -> str:
        duty = self.display.procedure(case).duty
        return duty.word if duty else ""


def _shown(one: Owed) -> dict[str, object]:
    case = one.case
    form = case.submission
    return {
        "ticket": case.ticket,
        "system": form.system,
        "subject": form.subject,
        "url": case.url,
        "name": one.name,
        "away": list(one.away),
        "percent": case.reports[-1].percent if case.reports else None,
    }
