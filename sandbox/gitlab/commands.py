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
    promote_to set_parent remove_parent add_child remove_child""".split()
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

    def _labels(self, argument: str) -> list[Label]:
        pattern = LABEL_NAMES if "~" in argument else PLAIN_NAMES
        names = [first or second for first, second in pattern.findall(argument)]
        found = (self.acting.store.label_named(self.project, name) for name in names)
        return [label for label in found if label]

    def _users(self, argument: str) -> list[User]:
        names = [name for name in re.split(r"[\s,]+(?:and\s+)?", argument) if name]
        found: list[User] = []
        for name in names:
            user = self.acting.user if name == "me" else self.acting.store.user_named(name.removeprefix("@"))
            if user is None:
                raise _Unparsed(f"Failed to find users for '{name}'")
            found.append(user)
        return found

    def _day(self, argument: str) -> date | None:
        today = self.acting.store.now().date()
        words = {"today": today, "tomorrow": today + timedelta(days=1)}
        later = IN_DAYS.fullmatch(argument)
        if later:
            return today + timedelta(days=int(later[1]))
        return words.get(argument.casefold()) or parsed_date(argument)

    # actions: each returns its sentence, or None for silence

    def _close(self, _argument: str) -> str:
        self.outcome.updates["state_event"] = "close"
        return "Closed this issue."

    def _reopen(self, _argument: str) -> str:
        self.outcome.updates["state_event"] = "reopen"
        return "Reopened this issue."

    def _title(self, argument: str) -> str | None:
        if not argument:
            return None
        self.outcome.updates["title"] = argument
        return f'Changed the title to "{argument}".'

    def _label(self, argument: str) -> str | None:
        return self._name_labels(argument, "add_label_ids", "Added {} {}.")

    def _relabel(self, argument: str) -> str | None:
        return self._name_labels(argument, "label_ids", "Replaced all labels with {} {}.")

    def _name_labels(self, argument: str, key: str, sentence: str) -> str | None:
        labels = self._labels(argument)
        if not labels:
            return None
        known = self.outcome.updates.setdefault(key, [])
        known += [label.id for label in labels if label.id not in known]
        return sentence.format(" ".join(map(reference, labels)), "label" if len(labels) == 1 else "labels")

    def _unlabel(self, argument: str) -> str:
        if not argument:
            self.outcome.updates["label_ids"] = []
            return "Removed all labels."
        labels = self._labels(argument)
        if not labels:
            return "Removed all labels."  # GitLab says so although nothing was removed
        self.outcome.updates.setdefault("remove_label_ids", []).extend(label.id for label in labels)
        return f"Removed {' '.join(map(reference, labels))} {'label' if len(labels) == 1 else 'labels'}."

    def _assign(self, argument: str) -> str | None:
        if not argument:
            return "Failed to assign a user because no user was found."
        users = self._users(argument)
        self.outcome.updates["assignee_ids"] = [users[0].id]
        return f"Assigned @{users[0].username}."

    def _unassign(self, _argument: str) -> str:
        names = " and ".join(f"@{self.acting.store.users[number].username}" for number in self.issue.assignee_ids)
        self.outcome.updates["assignee_ids"] = []
        return f"Removed assignee {names}."

    def _due(self, argument: str) -> str | None:
        if not argument:
            return None
        day = self._day(argument)
        if day is None:
            return "Failed to set due date because the date format is invalid."
        self.outcome.updates["due_date"] = day.isoformat()
        return f"Set the due date to {day.strftime('%b')} {day.day}, {day.year}."

    def _remove_due_date(self, _argument: str) -> str:
        self.outcome.updates["due_date"] = None
        return "Removed the due date."

    def _confidential(self, _argument: str) -> str:
        self.outcome.updates["confidential"] = True
        return "Made this issue confidential."

    def _lock(self, _argument: str) -> str:
        self.outcome.updates["discussion_locked"] = True
        return "Locked the discussion."

    def _unlock(self, _argument: str) -> str:
        self.outcome.updates["discussion_locked"] = False
        return "Unlocked the discussion."

    def _todo(self, _argument: str) -> str:
        self.outcome.updates["todo_event"] = "add"
        return "Added a to-do item."

    def _subscribe(self, _argument: str) -> str:
        self.outcome.updates["subscription_event"] = "subscribe"
        return "Subscribed to notifications."

    def _unsubscribe(self, _argument: str) -> str:
        self.outcome.updates["subscription_event"] = "unsubscribe"
        return "Unsubscribed from notifications."


ACTIONS: dict[str, Callable[[Interpreter, str], str | None]] = {
    "close": Interpreter._close,
    "reopen": Interpreter._reopen,
    "title": Interpreter._title,
    "label": Interpreter._label,
    "relabel": Interpreter._relabel,
    "unlabel": Interpreter._unlabel,
    "assign": Interpreter._assign,
    "unassign": Interpreter._unassign,
    "due": Interpreter._due,
    "remove_due_date": Interpreter._remove_due_date,
    "confidential": Interpreter._confidential,
    "lock": Interpreter._lock,
    "unlock": Interpreter._unlock,
    "todo": Interpreter._todo,
    "subscribe": Interpreter._subscribe,
    "unsubscribe": Interpreter._unsubscribe,
}


def parsed_date(text: str) -> date | None:
    """Read an ISO date; None for anything else, as the API does with a due date it cannot read."""
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None
