"""What is answered without deciding anything: where a case stands, what can be typed, what was not understood, what must not be written."""

from integration.procedure import contexts
from integration.procedure.definition import QUESTIONS
from integration.procedure.draft import Draft
from integration.procedure.events import RequestRefused
from integration.procedure.facts import CheckAsked, CommandUnclear, HelpAsked, SecretWritten
from integration.procedure.guards import Code
from integration.procedure.lines import ATTACH, CHECK, FOR_OTHERS, HELP, REVOKE
from integration.procedure.people import Situation, authority, capacity, eligible

SECRET = "secret"  # noqa: S105 -- the name of the act


def check_asked(draft: Draft, fact: CheckAsked) -> None:  # noqa: ARG001
    """Where the case stands and what it lacks."""
    draft.note(CHECK, contexts.check(draft.situation))


def help_asked(draft: Draft, fact: HelpAsked) -> None:  # noqa: ARG001
    """What can be typed now: the ways out of the step and who may take them, and the commands this person may give."""
    s = draft.situation
    here = {
        "step": s.step.number if s.step else None,
        "step_name": s.step.name if s.step else "",
        "may_act": contexts.persons(eligible(s, s.step)) if s.step else [],
    }
    draft.note(HELP, here | _words(s))


def command_unclear(draft: Draft, fact: CommandUnclear) -> None:
    """A command nobody can act on: its author is told the nearest one and what there is, or how it is typed."""
    context = {"word": fact.word, "nearest": fact.nearest, "usage": fact.usage, "by": fact.by.account}
    draft.note("tidak-dikenal", context | _words(draft.situation), slot=f"tidak-dikenal:{draft.case.entered_seq}:{fact.word or fact.usage}")


def secret_written(draft: Draft, fact: SecretWritten) -> None:
    """A secret stood in a comment: that is recorded without it, and its author is told (procedure.md rule 8)."""
    draft.record(RequestRefused(draft.case.step, Code.SECRET.value, SECRET))
    draft.note("rahasia", {"by": fact.by.account})


def _words(s: Situation) -> contexts.Context:
    """The words that leave the step, and the commands this person may give; some of these after the end, too."""
    given = (word for word in s.procedure.authority if word != FOR_OTHERS and (s.step or _after_the_end(s, word)))
    mine = [word for word in given if capacity(s, authority(s.procedure, word))]
    return {"outcomes": contexts.outcomes(s, s.step) if s.step else [], "commands": [*mine, *sorted(QUESTIONS)]}


def _after_the_end(s: Situation, word: str) -> bool:
    """Whether a command is there after the end: access is taken back, and papers are signed."""
    return word == REVOKE or (word == ATTACH and s.organisation.papers.provider is not None)
