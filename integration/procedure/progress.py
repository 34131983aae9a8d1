"""The draft of a week's report: what the duty's parts can say before anybody writes them, from what people left on the platform; pure.

No sentence is made: a part lists the people's own words and the platform's own references. What nothing tells is left to its author.
"""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from integration.procedure.case import Case, Drafted
from integration.procedure.definition import Duty, SectionKind, Trace
from integration.procedure.facts import Activity, Sections

SHOWN = 8  # characters of a commit's hash, as GitLab shows it

_READ: Mapping[Trace, Callable[[Activity], Iterator[str]]] = MappingProxyType(
    {
        Trace.TICKS: lambda activity: iter(activity.ticked),
        Trace.MERGE_REQUESTS: lambda activity: (f"merge request {reference}" for reference in activity.merge_requests),
        Trace.COMMITS: lambda activity: (f"commit {_short(reference)}" for reference in activity.commits),
        Trace.COMMENTS: lambda activity: iter(activity.comments),
    }
)


def drafted(duty: Duty, case: Case, week: str, activity: Activity) -> Drafted:
    """The week's report as far as it can be told."""
    texts = ((part.title, "\n".join(f"- {line}" for trace in part.draft_from for line in _READ[trace](activity))) for part in duty.parts)
    return Drafted(week, percent(case, activity), tuple((title, text) for title, text in texts if text))


def percent(case: Case, activity: Activity) -> int | None:
    """The share of the people's own tasks that are done, rounded down: 100 means all. Without tasks what was reported last; else None.

    Not the boxes of a step's kelengkapan: those begin anew with each step, and are set when the work is over.
    """
    if activity.tasks:
        return 100 * activity.done // activity.tasks
    return case.reports[-1].percent if case.reports else None


def confirmed(duty: Duty, draft: Drafted | None, week: str) -> Sections:
    """What a report of this week is filled from where its author wrote nothing: the draft of that week, its percentage included."""
    if draft is None or draft.week != week:
        return ()
    number = [] if draft.percent is None else [str(draft.percent)]
    return (*draft.sections, *((part.title, text) for part in duty.parts if part.kind is SectionKind.PERCENT for text in number))


def _short(reference: str) -> str:
    """A commit as people read it: "siakad@1a2b3c4d" of another project's, "1a2b3c4d" of this one's."""
    project, at, sha = reference.rpartition("@")
    return f"{project}{at}{sha[:SHOWN]}"
