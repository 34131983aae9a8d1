"""How a command that asks the service something begins: by opening it, and finding the case it was asked about."""

from integration import logs
from integration.procedure.case import Case, fold
from integration.settings import Settings
from sync.terminal import failed
from sync.wiring import Service, build


def opened() -> Service:
    """The service, for a command that asks it something and ends."""
    settings = Settings.read()
    logs.configure("WARNING", settings.every_secret)
    return build(settings)


def known_case(service: Service, ticket: str) -> Case:
    """The case of this ticket as it stands; ends with a sentence where there is none, or none yet."""
    known = fold(service.store.entries(ticket))
    if known is None:
        failed("not_worked_on" if service.store.ticket_exists(ticket) else "unknown_ticket", ticket=ticket)
    return known
