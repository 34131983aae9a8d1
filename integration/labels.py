"""The labels of a case on the platform: the one place where their names are made and read (contract.md, "On the platform").

Labels of these families are the service's; every other label is the users' own and never touched.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from integration.procedure.definition import Step


class Family(StrEnum):
    """What stands before the `::` of a label."""

    PROCEDURE = "pos"
    STEP = "langkah"
    ROLE = "peran"
    STATUS = "status"
    PRIORITY = "prioritas"


_FAMILY = re.compile(rf"({'|'.join(Family)})::")
_STEP = re.compile(rf"{Family.STEP}::(\d+)\b")


@dataclass(frozen=True, slots=True)
class Label:
    """A label as the platform is given it. `color` as "#rrggbb"."""

    name: str
    color: str
    description: str


def named(family: Family, word: str) -> str:
    """The label of a family that says `word`: "status::berjalan"."""
    return f"{family}::{word}"


def step_label(step: Step) -> str:
    """The label of a step: "langkah::04 Pemeriksaan"."""
    return named(Family.STEP, step.label_text)


def owned(label: str) -> bool:
    """Whether a label belongs to one of our families."""
    return _FAMILY.match(label) is not None


def step_of(label: str) -> int | None:
    """The number of the step a label names, whatever its name says beside it; None for any other label."""
    found = _STEP.match(label)
    return int(found.group(1)) if found else None
