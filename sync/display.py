"""What the issue of a case must look like, words included: the projection of the ledger, written with the templates.

The same case on the same day gives the same issue, to the letter: whatever differs from it was somebody else's doing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from integration.faults import Failure, Transient
from integration.issue import IssueFields
from integration.procedure.case import Case
from integration.procedure.definition import Procedure
from integration.procedure.effects import PostNote
from integration.procedure.offices import Organisation
from integration.projection import View, papers, project
from integration.region import region, with_form, with_region
from sync.wording import Wording, marker


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
        forms = [self._form(case, version) for version in range(1, len(case.submissions) + 1)]
        text = f"{issue_marker(case.ticket)}\n\n{forms[-1]}" if description is None else with_form(description, forms[:-1], forms[-1])
        return view.fields(with_region(text, self._region(view)))

    def note(self, effect: PostNote, case: Case) -> str:
        """The body of a note on the case's issue. Papers are linked as they are filed by now, not as they were when it was decided."""
        context = effect.context | {
            "ticket": case.ticket,
            "procedure": self.procedure(case),
            "organisation": self.organisation,
            "documents": papers(self.procedure(case), case),
        }
        return self.wording.note(effect.template, context, effect.key)

    def _form(self, case: Case, version: int) -> str:
        code = self.procedure(case).form
        return self.wording.render("description/form.md", form=case.submissions[version - 1], code=code, version=version).strip()

    def _region(self, view: View) -> str:
        return region(self.wording.render("description/region.md", **view.region))


def issue_marker(ticket: str) -> str:
    """The comment in the description by which a case's issue is found again."""
    return marker(f"perkara:{ticket}")
