"""What may become of an organisation: successors, stand-ins, vacant offices, programmers who go, closed days; each a change of its file."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import yaml

from tests.stories.world import ORGANISATION

SUCCESSOR = "pejabat.baru"
"""The account of whoever follows somebody in office."""

Entries = dict[str, Any]


def changed(text: str, choice: int, today: date) -> str:
    """The file after one change, of those the choice stands for."""
    entries = yaml.safe_load(text)
    ways: tuple[Callable[[Entries, int, date], None], ...] = (_succeeded, _deputised, _vacated, _closed, _left, _as_shipped)
    ways[choice % len(ways)](entries, choice // len(ways), today)
    return str(yaml.safe_dump(entries, allow_unicode=True))


def _current(entries: Entries, choice: int, today: date) -> Entries | None:
    """One of the offices that somebody holds for good today."""
    held = [o for o in entries["offices"] if "holding" not in o and o["since"] <= today <= o.get("until", today)]
    return held[choice % len(held)] if held else None


def _succeeded(entries: Entries, choice: int, today: date) -> None:
    """Somebody else holds the office from today, or from the day after tomorrow."""
    office = _current(entries, choice, today)
    if office is not None:
        begins = today + timedelta(days=2 * (choice % 2))
        office["until"] = begins - timedelta(days=1)
        entries["offices"].append({**_free(office), "account": SUCCESSOR, "name": "Pejabat Baru, M.Kom.", "since": begins})


def _deputised(entries: Entries, choice: int, today: date) -> None:
    """Another officer, or a programmer, stands in for a while."""
    office, other = _current(entries, choice, today), _current(entries, choice + 1 + choice % 3, today)
    if office is not None and other is not None:
        account, name = (other["account"], other["name"]) if choice % 4 else ("dimas.pratama", "Dimas Pratama, S.Kom.")
        stand_in = {**_free(office), "account": account, "name": name, "holding": "Plh."}
        entries["offices"].append({**stand_in, "since": today, "until": today + timedelta(days=9)})


def _vacated(entries: Entries, choice: int, today: date) -> None:
    """Nobody holds the office any more."""
    office = _current(entries, choice, today)
    if office is not None:
        office["until"] = today - timedelta(days=1)


def _closed(entries: Entries, choice: int, today: date) -> None:
    """The campus is closed for some days that come."""
    first = today + timedelta(days=1 + choice % 3)
    closure = {"since": first, "until": first + timedelta(days=choice % 2), "name": "Dies Natalis", "decree": "SE Rektor Nomor 1/2026"}
    entries["closures"] = [closure]


def _left(entries: Entries, choice: int, today: date) -> None:
    """A programmer goes."""
    if len(entries["programmers"]) > 3:
        entries["programmers"].pop(choice % 3)


def _as_shipped(entries: Entries, choice: int, today: date) -> None:
    """All is as it was at first."""
    entries.clear()
    entries.update(yaml.safe_load(ORGANISATION.read_text(encoding="utf-8")))


def _free(office: Entries) -> Entries:
    """What a successor's entry has of this one."""
    return {name: value for name, value in office.items() if name in ("role", "decree")}
