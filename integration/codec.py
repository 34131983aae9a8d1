"""Facts, events and effects to JSON and back, tagged with the name of their class.

What was written once must be readable for ever: a class is never renamed, a field never removed; new fields have defaults.
"""

import json
from typing import Any, Generic, TypeVar, get_args

from pydantic import TypeAdapter, ValidationError

from integration.faults import Failure, Permanent
from integration.procedure.effects import Effect
from integration.procedure.events import Event
from integration.procedure.facts import Fact

Json = dict[str, Any]
Member = TypeVar("Member")


class Family(Generic[Member]):
    """The classes of one union, by name. `dump` and `load` are each other's inverse."""

    def __init__(self, union: object) -> None:
        self._adapters: dict[str, TypeAdapter[Member]] = {member.__name__: TypeAdapter(member) for member in get_args(union)}

    def dump(self, value: Member) -> tuple[str, Json]:
        """The name of the value's class, and its fields as plain JSON values."""
        kind = type(value).__name__
        data: Json = self._adapters[kind].dump_python(value, mode="json")
        return kind, data

    def load(self, kind: str, data: Json) -> Member:
        """The value again. Raises Permanent for a class this release lacks, and for fields that do not fit."""
        try:
            return self._adapters[kind].validate_python(data)
        except KeyError as unknown:
            raise Permanent(f"{kind} is unknown to this release", Failure.UNREADABLE) from unknown
        except ValidationError as fault:
            said = fault.errors(include_input=False, include_url=False)
            raise Permanent(f"{kind} is not as this release knows it: {said}", Failure.UNREADABLE) from fault


FACTS: Family[Fact] = Family(Fact)
EVENTS: Family[Event] = Family(Event)
EFFECTS: Family[Effect] = Family(Effect)


def canonical(value: object) -> bytes:
    """The same bytes for the same JSON value, whatever the order of its keys: what hashes are taken over."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def fact_bytes(fact: Fact) -> bytes:
    """A fact as the body of an inbox row (sources "outcome" and "clock")."""
    kind, data = FACTS.dump(fact)
    return canonical({"kind": kind, "data": data})


def read_fact(body: bytes) -> Fact:
    """The fact of such a body. Raises Permanent where it is none to this release."""
    document = read(body)
    return FACTS.load(str(document.get("kind")), document.get("data", {}))


def read(body: bytes) -> Json:
    """The JSON object of a body we wrote ourselves. Raises Permanent where it is none."""
    try:
        document = json.loads(body)
    except ValueError as fault:
        raise Permanent("no JSON", Failure.UNREADABLE) from fault
    if not isinstance(document, dict):
        raise Permanent("no JSON object", Failure.UNREADABLE)
    return document
