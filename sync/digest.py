"""What waits for whom as a working day begins, by mail to those who hold an office above others and have an address."""

from datetime import date

from integration.desk import Desk, Waits
from integration.procedure.definition import by_revision
from integration.procedure.effects import SendMail
from integration.store import Store
from sync.display import Display


def digests(store: Store, display: Display, day: date) -> list[SendMail]:
    """One mail for each of them for whom something waits, or something changed since they last said to have seen what there is."""
    organisation = display.organisation
    above = {role.superior for procedure in display.procedures for role in procedure.roles}
    known = [office for office in organisation.offices if office.covers(day) and office.role in above and office.email]
    officers = {office.account: office for office in known}
    desk = Desk(store, by_revision(display.procedures), organisation, day)
    waiting = desk.by_account(officers)
    mails = []
    for account, office in officers.items():
        cases, changed = waiting.get(account, []), len(desk.changed(account))
        if cases or changed:
            said = {"name": office.name, "changed": changed, "cases": [_shown(one) for one in cases]}
            mails.append(SendMail(f"mail:ringkasan:{day.isoformat()}:{account}", "meja", (office.email,), said))
    return mails


def _shown(one: Waits) -> dict[str, object]:
    case = one.case
    return {
        "ticket": case.ticket,
        "system": case.submission.system,
        "subject": case.submission.subject,
        "step": one.step.label_text,
        "due": case.due.isoformat() if case.due else "",
        "late": case.late,
    }
