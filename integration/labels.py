"""The labels of a case on the platform: the one place where their names are made and read (contract.md, "On the platform").

Labels of these families are the service's; every other label is the users' own and never touched.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from integration.procedure.case import Status
from integration.procedure.definition import Priority, Procedure, Step
from integration.templates import messages


class Family(StrEnum):
    """What stands before the `::` of a label."""

    PROCEDURE = "pos"
    STEP = "langkah"
    ROLE = "peran"
    STATUS = "status"
    PRIORITY = "prioritas"


_FAMILY = re.compile(rf"({'|'.join(Family)})::")
_STEP = re.compile(rf"{Family.STEP}::(\d+)\b")

_COLORS = {Family.PROCEDURE: "#1f2a44", Family.STEP: "#3b6ea8", Family.ROLE: "#6f42a5"}
_STATUS_COLORS = {
    Status.RUNNING: "#2f7d4f",
    Status.UNIT: "#8a6d1a",
    Status.PAUSED: "#737278",
    Status.LATE: "#c0392b",
    Status.EMERGENCY: "#8b1a4a",
    Status.DONE: "#1f5e3a",
    Status.REFUSED: "#5e5e66",
    Status.WITHDRAWN: "#5e5e66",
    Status.HANDED_OFF: "#5e5e66",
}
_PRIORITY_COLORS = {Priority.LOW: "#6b8fb5", Priority.MEDIUM: "#b08d2c", Priority.HIGH: "#c86a1c", Priority.CRITICAL: "#b3261e"}


@dataclass(frozen=True, slots=True)
class Label:
    """A label as the platform is given it. `color` as "#rrggbb"; `priority`: its place when issues are sorted by it, 0 first; None: any."""

    name: str
    color: str
    description: str
    priority: int | None = None

    @property
    def fields(self) -> dict[str, str | int]:
        """All but its name, as the platform calls it: a priority only where it is ours to say."""
        ranked = {} if self.priority is None else {"priority": self.priority}
        return {"color": self.color, "description": self.description, **ranked}


def named(family: Family, word: str) -> str:
    """The label of a family that says `word`: "status::berjalan"."""
    return f"{family}::{word}"


def step_label(step: Step) -> str:
    """The label of a step: "langkah::04 Pemeriksaan"."""
    return named(Family.STEP, step.label_text)


def owned(label: str) -> bool:
    """Whether a label belongs to one of our families."""
    return family_of(label) is not None


def family_of(label: str) -> Family | None:
    """The family a label belongs to; None for the users' own."""
    found = _FAMILY.match(label)
    return Family(found.group(1)) if found else None


def step_of(label: str) -> int | None:
    """The number of the step a label names, whatever its name says beside it; None for any other label."""
    found = _STEP.match(label)
    return int(found.group(1)) if found else None


def priority_of(label: str) -> str | None:
    """The word of a priority's label, whether or not it is a priority; None for any other label."""
    family = named(Family.PRIORITY, "")
    return label.removeprefix(family) if label.startswith(family) else None


def asks(label: str) -> bool:
    """Whether somebody who puts this label on asks for something: to move the case, or for another priority."""
    return step_of(label) is not None or priority_of(label) is not None


def all_labels(procedures: Iterable[Procedure]) -> tuple[Label, ...]:
    """Every label the cases of these procedures can carry, by name."""
    labels = [*_status_labels(), *_priority_labels()]
    for procedure in procedures:
        labels += _labels_of(procedure)
    return tuple(sorted({label.name: label for label in labels}.values(), key=lambda label: label.name))


def _labels_of(procedure: Procedure) -> Iterable[Label]:
    said = messages("labels")
    last = procedure.steps[-1].number
    yield Label(
        named(Family.PROCEDURE, procedure.prefix),
        _COLORS[Family.PROCEDURE],
        said["procedure"].format(name=procedure.head.name, number=procedure.head.number),
    )
    for step in procedure.steps:
        if step.number >= procedure.opens_at:
            performer = procedure.role(step.performer).name if step.performer else ""
            description = said["step"].format(number=step.number, last=last, performer=performer)
            yield Label(step_label(step), _COLORS[Family.STEP], description)
    for role in procedure.roles:
        yield Label(named(Family.ROLE, role.name), _COLORS[Family.ROLE], said["role"].format(name=role.name))


def _status_labels() -> Iterable[Label]:
    said = messages("labels")
    for status in Status:
        yield Label(named(Family.STATUS, status), _STATUS_COLORS[status], said[f"status_{status.name.lower()}"])


def _priority_labels() -> Iterable[Label]:
    said = messages("labels")
    for place, priority in enumerate(reversed(Priority)):  # the most urgent first
        yield Label(named(Family.PRIORITY, priority), _PRIORITY_COLORS[priority], said[f"priority_{priority.name.lower()}"], place)
