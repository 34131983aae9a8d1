"""What the quick actions of a text do: the changes they ask for and the sentence each one answers with (behaviour.md 2.1, 2.2).

Rule: conditions are checked as GitLab does before an action runs; one that cannot apply still counts and answers
"Could not apply ... command.". What GitLab would do and the stand-in cannot is put on the list of unknown calls.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sandbox.gitlab import rights
from sandbox.gitlab.acting import Acting
from sandbox.gitlab.entities import Issue, Label, Project, User
from sandbox.gitlab.quickactions import Command

ALIASES = {
    "labels": "label",
    "remove_label": "unlabel",
    "award": "react",
    "estimate_time": "estimate",
    "spent": "spend",
    "spend_time": "spend",
    "remove_time_estimate": "remove_estimate",
}

# Actions GitLab carries out on issues and the stand-in does not: a text that reaches them is a mistake to be found.
UNMODELLED = frozenset(
    """react severity board_move duplicate clone move create_merge_request zoom remove_zoom add_email remove_email convert_to_ticket
    promote_to_incident milestone remove_milestone copy_metadata estimate spend remove_estimate remove_time_spent relate unlink type
    promote_to set_parent remove_parent add_child remove_child""".split()  # noqa: SIM905 - a list of names, not of strings
)

LABEL_NAMES = re.compile(r'~"([^"]+)"|~([^\s~",]+)')
PLAIN_NAMES = re.compile(r'"([^"]+)"|(\S+)')
IN_DAYS = re.compile(r"in (\d+) days?")


class _Unparsed(Exception):
    """The argument names nothing that exists."""


@dataclass(slots=True)
class Outcome:
    """What the actions of one text ask for. `updates` are parameters of an issue update."""

    updates: dict[str, Any] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)


def reference(label: Label) -> str:
    """Write a label as text refers to it: `~bug`, `~"two words"`."""
    return f"~{label.name}" if re.fullmatch(r"[\w?]+", label.name) else f'~"{label.name}"'


@dataclass(slots=True)
class Interpreter:
    """Runs quick actions for one issue. `saved` is false while the issue is being created."""

    acting: Acting
    project: Project
    issue: Issue
    saved: bool = True
    outcome: Outcome = field(default_factory=Outcome)

    def run(self, commands: Iterable[Command]) -> Outcome:
        """Run the actions in order and return what they ask for."""
        for command in commands:
            name = ALIASES.get(command.name, command.name)
            message = self._run(name, command.argument)
            if message:
                self.outcome.messages.append(message)
        return self.outcome

    def _run(self, name: str, argument: str) -> str | None:
        if name in UNMODELLED:
            self.acting.unknown.append(f"quick action /{name}")
        action = ACTIONS.get(name)
        if action is None or not self._available(name):
            return f"Could not apply {name} command."
        try:
            return action(self, argument)
        except _Unparsed as fault:
            return f"Could not apply {name} command. {fault}."

    # conditions

    @property
    def _may_set_metadata(self) -> bool:
        if self.saved:
            return rights.admin_issue(self.acting.user, self.project)
        return rights.set_metadata_at_creation(self.acting.user, self.project)

    @property
    def _may_update(self) -> bool:
        return not self.saved or rights.update_issue(self.acting.user, self.project, self.issue)

    def _available(self, name: str) -> bool:
        issue, user = self.issue, self.acting.user
        conditions: dict[str, Callable[[], bool]] = {
            "close": lambda: issue.opened and self._may_update,
            "reopen": lambda: self.saved and not issue.opened and self._may_update,
            "title": lambda: self.saved and self._may_update,
            "label": lambda: self._may_set_metadata and bool(self.project.labels),
            "unlabel": lambda: self.saved and bool(issue.label_ids) and self._may_set_metadata,
            "relabel": lambda: self.saved and bool(issue.label_ids) and self._may_set_metadata,
            "todo": lambda: self.saved,
            "done": lambda: False,
            "subscribe": lambda: self.saved and user.id not in issue.subscribers,
            "unsubscribe": lambda: self.saved and user.id in issue.subscribers,
            "confidential": lambda: not issue.confidential and (not self.saved or rights.admin_issue(user, self.project)),
            "due": lambda: self._may_set_metadata,
            "remove_due_date": lambda: self.saved and issue.due_date is not None and self._may_set_metadata,
            "assign": lambda: self._may_set_metadata,
            "unassign": lambda: self.saved and bool(issue.assignee_ids) and self._may_set_metadata,
            "lock": lambda: self.saved and not issue.discussion_locked and self._may_set_metadata,
            "unlock": lambda: self.saved and bool(issue.discussion_locked) and self._may_set_metadata,
        }
        return conditions[name]()

    # arguments

    def labels_named(self, argument: str) -> list[Label]:
        """Find the labels an argument names, with or without `~`; one that does not exist is passed over."""
        pattern = LABEL_NAMES if "~" in argument else PLAIN_NAMES
        names = [first or second for first, second in pattern.findall(argument)]
        found = (self.acting.store.label_named(self.project, name) for name in names)
        return [label for label in found if label]

    def users_named(self, argument: str) -> list[User]:
        """Find the accounts an argument names; one that does not exist spoils the whole action."""
        names = [name for name in re.split(r"[\s,]+(?:and\s+)?", argument) if name]
        found: list[User] = []
        for name in names:
            user = self.acting.user if name == "me" else self.acting.store.user_named(name.removeprefix("@"))
            if user is None:
                raise _Unparsed(f"Failed to find users for '{name}'")
            found.append(user)
        return found

    def day(self, argument: str) -> date | None:
        """Read a due date: ISO, `today`, `tomorrow`, `in 3 days`."""
        today = self.acting.store.now().date()
        words = {"today": today, "tomorrow": today + timedelta(days=1)}
        later = IN_DAYS.fullmatch(argument)
        if later:
            return today + timedelta(days=int(later[1]))
        return words.get(argument.casefold()) or parsed_date(argument)


def parsed_date(text: str) -> date | None:
    """Read an ISO date; None for anything else, as the API does with a due date it cannot read."""
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None


# Actions: each returns its sentence, or None for silence.


def _close(run: Interpreter, _argument: str) -> str:
    run.outcome.updates["state_event"] = "close"
    return "Closed this issue."


def _reopen(run: Interpreter, _argument: str) -> str:
    run.outcome.updates["state_event"] = "reopen"
    return "Reopened this issue."


def _title(run: Interpreter, argument: str) -> str | None:
    if not argument:
        return None
    run.outcome.updates["title"] = argument
    return f'Changed the title to "{argument}".'


def _label(run: Interpreter, argument: str) -> str | None:
    return _name_labels(run, argument, "add_label_ids", "Added {} {}.")


def _relabel(run: Interpreter, argument: str) -> str | None:
    return _name_labels(run, argument, "label_ids", "Replaced all labels with {} {}.")


def _name_labels(run: Interpreter, argument: str, key: str, sentence: str) -> str | None:
    labels = run.labels_named(argument)
    if not labels:
        return None
    known = run.outcome.updates.setdefault(key, [])
    known += [label.id for label in labels if label.id not in known]
    return sentence.format(" ".join(map(reference, labels)), "label" if len(labels) == 1 else "labels")


def _unlabel(run: Interpreter, argument: str) -> str:
    if not argument:
        run.outcome.updates["label_ids"] = []
        return "Removed all labels."
    labels = run.labels_named(argument)
    if not labels:
        return "Removed all labels."  # GitLab says so although nothing was removed
    run.outcome.updates.setdefault("remove_label_ids", []).extend(label.id for label in labels)
    return f"Removed {' '.join(map(reference, labels))} {'label' if len(labels) == 1 else 'labels'}."


def _assign(run: Interpreter, argument: str) -> str | None:
    if not argument:
        return "Failed to assign a user because no user was found."
    users = run.users_named(argument)
    run.outcome.updates["assignee_ids"] = [users[0].id]
    return f"Assigned @{users[0].username}."


def _unassign(run: Interpreter, _argument: str) -> str:
    names = " and ".join(f"@{run.acting.store.users[number].username}" for number in run.issue.assignee_ids)
    run.outcome.updates["assignee_ids"] = []
    return f"Removed assignee {names}."


def _due(run: Interpreter, argument: str) -> str | None:
    if not argument:
        return None
    day = run.day(argument)
    if day is None:
        return "Failed to set due date because the date format is invalid."
    run.outcome.updates["due_date"] = day.isoformat()
    return f"Set the due date to {day.strftime('%b')} {day.day}, {day.year}."


def _remove_due_date(run: Interpreter, _argument: str) -> str:
    run.outcome.updates["due_date"] = None
    return "Removed the due date."


def _confidential(run: Interpreter, _argument: str) -> str:
    run.outcome.updates["confidential"] = True
    return "Made this issue confidential."


def _lock(run: Interpreter, _argument: str) -> str:
    run.outcome.updates["discussion_locked"] = True
    return "Locked the discussion."


def _unlock(run: Interpreter, _argument: str) -> str:
    run.outcome.updates["discussion_locked"] = False
    return "Unlocked the discussion."


def _todo(run: Interpreter, _argument: str) -> str:
    run.outcome.updates["todo_event"] = "add"
    return "Added a to-do item."


def _subscribe(run: Interpreter, _argument: str) -> str:
    run.outcome.updates["subscription_event"] = "subscribe"
    return "Subscribed to notifications."


def _unsubscribe(run: Interpreter, _argument: str) -> str:
    run.outcome.updates["subscription_event"] = "unsubscribe"
    return "Unsubscribed from notifications."


ACTIONS: dict[str, Callable[[Interpreter, str], str | None]] = {
    "close": _close,
    "reopen": _reopen,
    "title": _title,
    "label": _label,
    "relabel": _relabel,
    "unlabel": _unlabel,
    "assign": _assign,
    "unassign": _unassign,
    "due": _due,
    "remove_due_date": _remove_due_date,
    "confidential": _confidential,
    "lock": _lock,
    "unlock": _unlock,
    "todo": _todo,
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
}
