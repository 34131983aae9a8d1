"""Which lines of a text are quick actions, and what is left of the text (behaviour.md 2.1). Pure.

Rule: a registered name is taken out of the text even where it can do nothing; an unknown one stays untouched.
"""

import re
from dataclasses import dataclass
from functools import cache

from sandbox.gitlab.markup import paragraphs

SUBSTITUTIONS = {"shrug": "¯\\＿(ツ)＿/¯", "tableflip": "(╯°□°)╯︵ ┻━┻"}  # noqa: RUF001 - GitLab's own characters

COMMUNITY = frozenset(
    """close reopen title label labels unlabel remove_label relabel todo done subscribe unsubscribe react award severity confidential due
    remove_due_date board_move duplicate clone move create_merge_request zoom remove_zoom add_email remove_email convert_to_ticket
    promote_to_incident add_contacts remove_contacts timeline assign unassign milestone remove_milestone copy_metadata estimate
    estimate_time spend spent spend_time remove_estimate remove_time_estimate remove_time_spent lock unlock merge rebase draft ready
    target_branch submit_review request_changes approve unapprove assign_reviewer reviewer request_review unassign_reviewer
    remove_reviewer ship run_pipeline relate unlink type promote_to set_parent epic remove_parent add_child remove_child tag""".split()  # noqa: SIM905 - a list of names, not of strings
)
ENTERPRISE = COMMUNITY | frozenset(
    """reassign weight clear_weight remove_epic promote iteration remove_iteration publish health_status clear_health_status page link
    status checkin_reminder blocks blocked_by child_epic remove_child_epic parent_epic remove_parent_epic reassign_reviewer q""".split()  # noqa: SIM905 - a list of names, not of strings
)


@dataclass(frozen=True, slots=True)
class Command:
    """One quick action: its name in lower case and what follows it on the line, stripped; "" for nothing."""

    name: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Extracted:
    """A text without its quick actions, and the quick actions in order."""

    text: str
    commands: tuple[Command, ...]


@cache
def _pattern(names: frozenset[str]) -> re.Pattern[str]:
    union = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    return re.compile(rf"^/(?P<name>{union})(?: (?P<argument>[^\n]*))?(?:\s*\n|$)", re.IGNORECASE | re.MULTILINE)


def extract(text: str, *, enterprise: bool) -> Extracted:
    """Take the quick actions out of a text.

    Carriage returns are deleted first, so one before a slash does not hide a command. Only lines of top-level paragraphs count.
    """
    text = text.replace("\r", "")
    names = ENTERPRISE if enterprise else COMMUNITY
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    commands: list[Command] = []

    def take(match: re.Match[str]) -> str:
        commands.append(Command(match["name"].lower(), (match["argument"] or "").strip()))
        return ""

    def substitute(match: re.Match[str]) -> str:
        argument = (match["argument"] or "").strip()
        ending = "\n" if match[0].endswith("\n") else ""
        return f"{argument} {SUBSTITUTIONS[match['name'].lower()]}".strip() + ending

    pieces: list[str] = []
    done = 0
    for first, end in paragraphs(text):
        paragraph = _pattern(names).sub(take, "".join(lines[first:end]))
        pieces += ["".join(lines[done:first]), _pattern(frozenset(SUBSTITUTIONS)).sub(substitute, paragraph)]
        done = end
    pieces.append("".join(lines[done:]))
    return Extracted("".join(pieces).rstrip(), tuple(commands))
