"""What the issue of a case must look like, words included: the projection of the ledger, written with the templates.

The same case on the same day gives the same issue, to the letter: whatever differs from it was somebody else's doing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from integration import neutral
from integration.faults import Failure, Transient
from integration.issue import IssueFields
from integration.procedure.case import Case
from integration.procedure.contexts import accounts
from integration.procedure.definition import Gate, Procedure, Revisions
from integration.procedure.effects import PostNote
from integration.procedure.offices import Organisation
from integration.procedure.suggestion import Workload, candidates, on_leave, over_capacity, schedule, suggested
from integration.projection import View, papers, project
from integration.region import region, with_form, with_region
from integration.store import CaseRow
from sync.wording import Wording, marker

CHOOSE, OVER = "choose_team", "over_capacity"
"""The keys of a note's context by which it asks for what only the other cases tell."""


@dataclass(frozen=True, slots=True)
class Display:
    """`procedures`: every revision loaded; a new case opens under the last one with its form's code."""

    procedures: Sequence[Procedure]
    organisation: Organisation
    wording: Wording

    def procedure(self, case: Case) -> Procedure:
        """The revision a case is pinned to. Raises Transient where it is not loaded."""
        return self.revision(case.procedure, case.revision)

    def revision(self, slug: str, revision: str) -> Procedure:
        """This revision. Raises Transient where it is not loaded: a process that started before it came does not know it yet."""
        for procedure in self.procedures:
            if (procedure.slug, procedure.revision) == (slug, revision):
                return procedure
        raise Transient(f"the procedure {slug} in revision {revision} is not loaded here", Failure.PROCEDURE)

    def for_form(self, code: str) -> Procedure:
        """The procedure a new case opens under. Raises Transient where none that is loaded has this form."""
        for procedure in reversed(self.procedures):
            if procedure.form == code:
                return procedure
        raise Transient(f"no procedure with the form {code} is loaded here", Failure.PROCEDURE)

    def issue(self, case: Case, now: datetime, description: str | None = None) -> IssueFields:
        """The issue as it must be, around the users' text of the description it has; None: a new one, with the form."""
        view = project(self.procedure(case), self.organisation, case, now.astimezone(self.organisation.calendar.tz).date())
        if case.erased_at:  # with all that people wrote beside the form
            text = f"{issue_marker(case.ticket)}\n\n{self.wording.render('description/terhapus.md', case=case)}"
            return view.fields(with_region(text, self._region(view)))
        forms = [self._form(case, version) for version in range(1, len(case.submissions) + 1)]
        text = f"{issue_marker(case.ticket)}\n\n{forms[-1]}" if description is None else with_form(description, forms[:-1], forms[-1])
        return view.fields(with_region(text, self._region(view)))

    def task(self, case: Case, account: str, description: str | None = None) -> IssueFields:
        """The own issue of a member of the team, around the users' text of the description it has; None: a new one.

        It carries none of our labels: it is on no board, and no case.
        """
        procedure = self.procedure(case)
        written = [step.number for step in procedure.steps if Gate.TEAM in step.gates]
        written += [procedure.letter.receipt] if procedure.letter else []
        sections = [section for number in written for section in case.written.get(number, ())]
        first, last = schedule(procedure, case, date.min)
        organisation = self.organisation
        names = {person.account: person.name for person in organisation.programmers}
        words = self.wording.render("description/tugas.md", case=case, lead=names.get(case.team[0], case.team[0]), sections=sections)
        return IssueFields(
            title=neutral.title(f"Tugas tim {case.ticket}: {case.submission.about}"),
            description=with_region(task_marker(case.ticket, account) if description is None else description, region(words)),
            labels=frozenset(),
            assignee=account,
            due=last if last > first else None,
            open=case.ending is None,
        )

    def note(self, effect: PostNote, case: Case) -> str:
        """The body of a note on the case's issue. Papers are linked as they are filed by now, not as they were when it was decided."""
        context = effect.context | {
            "ticket": case.ticket,
            "procedure": self.procedure(case),
            "organisation": self.organisation,
            "documents": papers(self.procedure(case), case),
        }
        return self.wording.note(effect.template, context, effect.key)

    def weighed(self, note: PostNote, case: Case, workload: Workload, now: datetime) -> PostNote:
        """A note that `weighs`, with whom a team could be made of, or who of one has too much to do or is away; `workload`: the others'."""
        context, organisation, procedure = note.context, self.organisation, self.procedure(case)
        day = now.astimezone(organisation.calendar.tz).date()
        if context.get(CHOOSE):
            found = candidates(procedure, organisation, case, workload, day)
            return replace(note, context=context | {"candidates": found, "suggested": suggested(found)})
        team: Any = [context["lead"], context["members"]]  # as contexts.accounts makes them
        members = [str(person["account"]) for person in (team[0], *team[1])]
        over, away = over_capacity(organisation, members, workload), on_leave(procedure, organisation, case, members, day)
        return replace(note, context=context | {OVER: accounts(organisation, over), "on_leave": accounts(organisation, away)})

    def _form(self, case: Case, version: int) -> str:
        code = self.procedure(case).form
        return self.wording.render("description/form.md", form=case.submissions[version - 1], code=code, version=version).strip()

    def _region(self, view: View) -> str:
        return region(self.wording.render("description/region.md", **view.region))


def place(row: CaseRow, known: Revisions) -> tuple[str, str]:
    """The step a case stands at and the role whose turn it is, in words; "" where there is none, or its revision is not loaded here."""
    procedure = known.get((row.procedure, row.revision))
    step = procedure.step(row.step).label_text if procedure and row.step else ""
    return step, procedure.role(row.role).name if procedure and row.role else ""


def weighs(note: PostNote) -> bool:
    """Whether a note says who could do the work, or who of those who are to do it has too much."""
    return bool(note.context.get(CHOOSE)) or OVER in note.context


def task_marker(ticket: str, account: str) -> str:
    """The comment in the description by which a member's own issue is found again."""
    return marker(f"tugas:{ticket}:{account}")


def issue_marker(ticket: str) -> str:
    """The comment in the description by which a case's issue is found again."""
    return marker(f"perkara:{ticket}")
