"""The forge's Markdown: which lines of a text are top-level paragraphs, which are task items, and the text as safe HTML.

One parser serves all three, so that what the page shows and what is executed agree. CommonMark with tables, strikethrough and
`>>>` quotes, as GitLab's own parser has them.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock

QUOTE_FENCE = re.compile(r">{3,}\s*")
TASK = re.compile(r"^(?P<lead>\s*(?:>\s*)*(?:[-+*]|\d+[.)])\s+)\[(?P<mark>[ xX])\](?P<text>\s.+)$")


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _multiline_quote(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - the parser's own signature
    """Parse a quote fenced by `>>>` lines; a fence that is never closed reaches to the end."""
    fence = _line(state, start)
    if not QUOTE_FENCE.fullmatch(fence):
        return False
    if silent:
        return True
    close = next((number for number in range(start + 1, end) if _line(state, number).strip() == fence.strip()), end)
    opening = state.push("blockquote_open", "blockquote", 1)
    opening.map = [start, close]
    old_end, state.lineMax = state.lineMax, close
    state.md.block.tokenize(state, start + 1, close)
    state.lineMax = old_end
    state.push("blockquote_close", "blockquote", -1)
    state.line = min(close + 1, end)
    return True


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    parser.block.ruler.before("blockquote", "multiline_quote", _multiline_quote, {"alt": ["paragraph", "reference", "list"]})
    return parser


PARSER = _parser()


def paragraphs(text: str) -> list[tuple[int, int]]:
    """Return the line ranges (first, one past the last) of the top-level paragraphs."""
    tokens = PARSER.parse(text)
    return [(token.map[0], token.map[1]) for token in tokens if token.type == "paragraph_open" and token.level == 0 and token.map]


@dataclass(frozen=True, slots=True)
class Task:
    """One checkbox of a text: its line (from 0), its words, and whether it is ticked."""

    line: int
    text: str
    done: bool


@lru_cache(maxsize=1024)  # every listing counts the boxes of every issue
def tasks(text: str) -> tuple[Task, ...]:
    """Return the checkboxes of a text in order; those inside code are not checkboxes."""
    code = {number for token in PARSER.parse(text) if token.type in {"fence", "code_block"} and token.map for number in range(*token.map)}
    lines = enumerate(text.split("\n"))
    found = ((number, TASK.match(line)) for number, line in lines if number not in code)
    return tuple(Task(number, match["text"].strip(), match["mark"] != " ") for number, match in found if match)


def ticked(text: str, task: Task, *, done: bool) -> str:
    """Return the text with that checkbox ticked or cleared, the rest untouched."""
    lines = text.split("\n")
    lines[task.line] = TASK.sub(lambda match: f"{match['lead']}[{'x' if done else ' '}]{match['text']}", lines[task.line])
    return "\n".join(lines)


TAGS = set(nh3.ALLOWED_TAGS) | {"details", "summary", "input"}
ATTRIBUTES = {key: set(value) for key, value in nh3.ALLOWED_ATTRIBUTES.items()} | {
    "input": {"type", "checked", "disabled"},
    "li": {"class"},
    "ol": {"start"},
    "td": {"style"},
    "th": {"style"},
}
BOX = re.compile(r"<li>(?P<open>\s*<p>)?\[(?P<mark>[ xX])\]\s")


def html(text: str | None) -> str:
    """Render a text as safe HTML: comments and scripts gone, checkboxes shown."""
    rendered = PARSER.render(text or "")

    def box(match: re.Match[str]) -> str:
        state = "" if match["mark"] == " " else " checked"
        return f'<li class="task">{match["open"] or ""}<input type="checkbox" disabled{state}> '

    return nh3.clean(BOX.sub(box, rendered), tags=TAGS, attributes=ATTRIBUTES, link_rel="noopener nofollow")
