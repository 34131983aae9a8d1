"""User text made harmless for GitLab: it is shown as it was written and does nothing.

Every string a person outside the service wrote passes one of these functions before it reaches an issue. None of them may let a quick
action, a mention, a reference, a link, an image, HTML or one of our own markers through (behaviour.md 2.1 and 2.3, decision 0006).
"""

import re
import unicodedata

TITLE_LIMIT = 255  # characters; GitLab answers 400 to a longer title (behaviour.md 2.3)

_LINE_BREAKS = re.compile(r"\r\n|[\r\v\f\u0085\u2028\u2029]")

# Characters that mean something in GitLab's Markdown anywhere in a line. A backslash before one of $ % # & @ ! ~ ^ keeps the reference
# filters away from it; "&" is escaped that way too, because an entity is decoded before "&1" is looked for.
_ESCAPED = str.maketrans({char: f"\\{char}" for char in "\\`*_{}[]|~@#!%$^&:"} | {"<": "&lt;", ">": "&gt;"})

# What means something at the start of a line only: a quick action, a list, an underlined heading, front matter.
_LEADING = re.compile(r"\A(\d{1,9}(?=[.)])|(?=[-+=/]))")

# What filters look for in the rendered text, where most backslashes are gone again (the colon's, too, before 18.x). Only a code span keeps
# them away (behaviour.md 2.3: ignored inside `code`). A match holds nothing that could end the span, a table cell or an HTML tag;
# neighbours are one match, because two spans side by side would be none.
_OUT_OF_REACH = re.compile(
    r"""
    (?: (?<![\w+.-])[\w+.-]*+://[^\s<>`|()\[\]{}"'\\]*(?<![.,;:!?])  # an address of any scheme
      | www\.[^\s<>`|()\[\]{}"'\\]*(?<![.,;:!?])
      | [0-9a-f]{7,}                                                # may be the hash of a commit
      | gl-\d+                                                      # an issue, as #1
      | \[\w+:[^\s<>`|\[\]]*\]?                                     # [issue:1], [feature_flag:1]
      | :(?!\d\d:)[\w+-]+:                                          # :emoji:, but not the middle of 08:30:15
      | [\[{](?=[-+])                                               # {+ inline diff +}
      | \[(?=\[)                                                    # [[wiki page]], and in a wiki [[picture]]
      | \[_?toc_?\]
    )+
    """,
    re.IGNORECASE | re.VERBOSE,
)

_JOINER = "\u2060"  # WORD JOINER: takes no room and is no word character
_TITLE_TRIGGER = re.compile(r"[@#!$%&~^:<](?=\S)|\[(?=\w+:)|GL-(?=\d)|[0-9a-f]{6}(?=[0-9a-f])", re.IGNORECASE)

_INVISIBLE = {"Cc", "Cf"}  # control characters; zero-width ones, directional overrides, tags


def clean(text: str) -> str:
    r"""The text with `\n` as its only line break and without characters nobody can see.

    Controls except tab, zero-width characters and directional overrides are removed; half a surrogate pair becomes U+FFFD. GitLab deletes
    `\r` before it looks for quick actions, so a lone one is a line break here (behaviour.md 2.1).
    """
    if text.replace("\n", "").isprintable():
        return text
    lines = _LINE_BREAKS.sub("\n", text)
    return lines.translate({ord(char): _visible(char) for char in set(lines) if not char.isprintable()})


def inline(text: str) -> str:
    """One line of text for use inside our own Markdown; line breaks and runs of spaces become one space."""
    return _line(" ".join(clean(text).split()))


def paragraphs(text: str) -> str:
    """Prose of several lines as Markdown of its own: blank lines part paragraphs, other line breaks stay (as hard breaks).

    For the top level of a document, not inside a list or a table. Indentation is dropped: four spaces would make code.
    """
    blocks = re.split(r"\n\s*\n", clean(text).strip())
    return "\n\n".join("\\\n".join(_line(" ".join(line.split())) for line in block.split("\n")) for block in blocks)


def block(text: str) -> str:
    """Text of several lines, every space kept, as a fenced block that no backticks inside can close.

    For the top level of a document. The fence and its lines are indented by one space, which Markdown takes away again: no line of the
    source begins with a slash, whatever reads it. A comment's opening is pulled apart, because code is where it would not be escaped.
    """
    lines = clean(text).replace("<!--", "< !--").strip("\n").split("\n")
    longest = max((len(run) for run in re.findall(r"`+", "\n".join(lines))), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f" {fence}text", *(f" {line}" if line else "" for line in lines), f" {fence}"])


def title(text: str) -> str:
    """One line for an issue's title, at most 255 characters.

    Titles are not Markdown: a backslash would be shown and would not stop a mention. A word joiner, which is not shown, does.
    """
    line = _TITLE_TRIGGER.sub(lambda found: found.group() + _JOINER, " ".join(clean(text).split()))
    return line if len(line) <= TITLE_LIMIT else line[: TITLE_LIMIT - 1].rstrip() + "…"


def _visible(char: str) -> str:
    if char in "\n\t":
        return char
    category = unicodedata.category(char)
    if category == "Cs":
        return "\ufffd"
    return "" if category in _INVISIBLE else char


def _line(text: str) -> str:
    """One cleaned line, escaped wherever it is put; it may stand at the start of a line."""
    escaped, end = "", 0
    for found in _OUT_OF_REACH.finditer(text):
        escaped += f"{text[end : found.start()].translate(_ESCAPED)}`{found.group()}`"
        end = found.end()
    return _LEADING.sub(r"\1\\", escaped + text[end:].translate(_ESCAPED))
