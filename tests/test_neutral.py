"""User text on GitLab: shown as written, and nothing happens.

The judge here is a small port of what GitLab does to text (behaviour.md 2.1 and 2.3): where it looks for quick actions, and which
text its reference filters get to see after Markdown.
"""

import re
from collections.abc import Callable, Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from integration import neutral

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"]).disable("text_join")

QUICK_ACTION = re.compile(r"^/(?:close|assign|confidential|label|due|shrug)(?: [^\n]*)?(?:\s*\n|$)", re.IGNORECASE | re.MULTILINE)

REFERENCES = {
    "mention": r"(?<![A-Za-z0-9_])@[A-Za-z0-9_.]",
    "issue": r"#\d",
    "issue by prefix": r"(?i)GL-\d",
    "by name": r"\[\w+:\S+\]",
    "merge request": r"!\d",
    "label": r"~[^\s~]",
    "milestone": r"%[^\s%]",
    "snippet": r"\$\d",
    "epic": r"&\d",
    "commit": r"[0-9a-fA-F]{7}",
    "address": r"[a-zA-Z][a-zA-Z0-9+.-]*://\S",
    "bare address": r"www\.\w",
    "emoji": r"(?<![^\W_]):[\w+-]+:(?![^\W_])",
    "table of contents": r"(?i)^\s*\[toc\]\s*$",
    "wiki link": r"\[\[",
    "inline diff": r"\{[+-].*[+-]\}|\[[+-].*[+-]\]",
}
IN_TITLES = ("mention", "issue", "issue by prefix", "by name", "merge request", "snippet", "epic", "commit", "address", "emoji")

HONOURED = "$%#&@!~^"  # a backslash before one of these parts the text the reference filters see; on every 17.x and 18.x


def executed(source: str) -> list[str]:
    r"""The quick actions GitLab would run: in top-level paragraphs, at the very start of a source line, `\r` deleted first."""
    source = source.replace("\r", "")
    lines = source.split("\n")
    found = []
    for token in MARKDOWN.parse(source):
        if token.type == "paragraph_open" and token.level == 0 and token.map:
            paragraph = "\n".join(lines[token.map[0] : token.map[1]]) + "\n"
            found += [match.group().strip() for match in QUICK_ACTION.finditer(paragraph)]
    return found


def texts(tokens: list[Token]) -> Iterator[str]:
    """The runs of text between elements, as the reference filters see them: no code, escaped reference characters on their own."""
    run = ""
    for token in tokens:
        if token.type == "inline":
            yield from texts(token.children or [])
        elif token.type == "text_special" and token.info == "escape" and token.content in HONOURED:
            yield run
            run = ""
        elif token.type in {"text", "text_special"}:
            run += token.content
        else:
            yield run
            run = ""
    yield run


def shown(source: str) -> str:
    """What a reader sees."""

    def of(tokens: list[Token]) -> Iterator[str]:
        for token in tokens:
            if token.type == "inline":
                yield from of(token.children or [])
            yield "\n" if token.type in {"softbreak", "hardbreak", "paragraph_close"} else "" if token.type == "inline" else token.content

    return "".join(of(MARKDOWN.parse(source)))


def kinds(source: str) -> set[str]:
    tokens = MARKDOWN.parse(source)
    return {each.type for token in tokens for each in (token, *(token.children or []))}


def squeezed(text: str) -> str:
    return " ".join(text.split())


PIECES = [
    *(
        "/close",
        "/assign @x",
        "/CLOSE",
        "//close",
        "\n",
        "\n\n",
        "\r",
        "\r\n",
        " ",
        "    ",
        "\t",
        "\u00a0",
        "\u200b",
        "\u202e",
        "\x00",
        "\v",
        "\u2028",
    ),
    *(
        "@all",
        "@",
        "@kelompok/sub",
        "#12",
        "proj/a#12",
        "!3",
        "~galat",
        '~"langkah 31"',
        "%v",
        "$1",
        "&1",
        "^alert#1",
        "GL-3",
        "[issue:1]",
        "[feature_flag:2]",
    ),
    *(
        "https://gitlab.example/a/-/issues/1",
        "http://",
        "smb://x",
        "www.contoh.ac.id",
        "mailto:a@b.c",
        "a@b.c",
        "deadbeefcafe",
        "1234567",
        "0",
        "f",
        "G",
    ),
    *(
        "`",
        "```",
        "````text",
        "~~~",
        "$$",
        "$`",
        "`$",
        "<!-- alur:mulai -->",
        "<!-- alur:selesai -->",
        "<!--",
        "-->",
        "<details>\n\n",
        "</details>",
        "<img src=x>",
    ),
    *(
        "&amp;",
        "&#64;all",
        "&lt;",
        "&",
        "[",
        "]",
        "(",
        ")",
        "![x](http://x/y.png)",
        "[a](b)",
        "[a]: b",
        "[^1]",
        "[^1]: x",
        "- [ ] tugas",
        "- ",
        "* ",
        "+ ",
        "1. ",
    ),
    *(
        "2) ",
        "> ",
        ">>>",
        "# ",
        "---",
        "===",
        "***",
        "___",
        "_a_",
        "|",
        "a|b\n-|-",
        ":-:",
        "\\",
        "\\\\",
        "{+",
        "+}",
        "[-",
        "-]",
        "[TOC]",
        "[[_TOC_]]",
        ":smile:",
    ),
    *(":", "08:30:15", "%{x}", "::include{file=x}", "kata", "é", ".", ",", '"', "'", "=", "👩‍💻"),
]
HOSTILE = st.lists(st.one_of(st.sampled_from(PIECES), st.characters()), max_size=16).map("".join)

TABLE = [  # the cases of behaviour.md 2.1 that are executed when pasted raw, and the bypass
    "/close",
    "teks\n/close\nteks",
    "# judul\n/close",
    "- satu\n\n/close",
    "<details>\n\n/close",
    "<div>\n\n/close",
    "<!-- x -->\n/close",
    "$$\n/close\n$$",
    "```\nkode\n```\n/close\n```",
    "a\n\r/close",
    "\n\r/close",
    "/assign @x",
    '/label ~"langkah 31"',
    "/CLOSE",
]
QUIET = [  # the cases that are not executed even raw
    "```\n/close\n```",
    "    /close",
    "> a\n/close",
    "- /close",
    "<pre>\n/close\n</pre>",
    " /close",
    "\u00a0/close",
    "\u200b/close",
    "\\/close",
    "&#47;close",
    "//close",
    "\v/close",
    "\f/close",
    "\u2028/close",
]

FUNCTIONS = [neutral.inline, neutral.paragraphs, neutral.block]
Function = Callable[[str], str]


def test_the_judge_runs_what_gitlab_runs():
    assert all(executed(text) for text in TABLE)
    assert executed("teks\n/close\nteks") == ["/close"]
    assert not any(executed(text) for text in QUIET)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("text", [*TABLE, *QUIET])
def test_no_quick_action_survives(function: Function, text: str):
    made = function(text)
    assert executed(made) == []
    assert executed(f"Teks kami\n{made}\nTeks kami") == []
    assert not re.search(r"^/", made.replace("\r", ""), re.MULTILINE)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    "text",
    [
        "@all",
        "hubungi @budi.s, @kelompok/sub",
        "#12 proj/a#12 !3 ~galat %v1 $1 &1 ^alert#1 GL-7",
        "[issue:1] [work_item:grup/2] [feature_flag:3] [contact:a@b.c]",
        "https://gitlab.example/a/-/issues/1",
        "(https://gitlab.example/a/-/issues/1).",
        "smb://berkas/x www.contoh.ac.id",
        "deadbeef1234 grup/proj@deadbeef",
        "&#64;all &commat;all",
        ":smile: {+ a +} [- b -]",
        "[TOC]",
        "[[_TOC_]]",
    ],
)
def test_no_reference_survives(function: Function, text: str):
    for run in texts(MARKDOWN.parse(function(text))):
        assert not [name for name, pattern in REFERENCES.items() if re.search(pattern, run)], run


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    "mark", ["<!-- alur:mulai -->", "<!-- alur:selesai -->", "<!--alur:perkara:SI-2026-000001-->", "<\u200b!-- alur:mulai -->"]
)
def test_our_own_marks_cannot_be_faked(function: Function, mark: str):
    assert "<!--" not in function(f"a\n{mark}\nb")
    assert "<!--" not in neutral.title(f"a {mark}")


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("Nilai tidak tersimpan", "Nilai tidak tersimpan"),
        ("  satu\n\tdua  ", "satu dua"),
        ("R&D <b>", r"R\&D &lt;b&gt;"),
        ("&lt;b&gt;", r"\&lt;b\&gt;"),
        ("*tebal* _miring_ `kode` ~~coret~~", r"\*tebal\* \_miring\_ \`kode\` \~\~coret\~\~"),
        ("![x](http://x/y.png)", r"\!\[x\](`http://x/y.png`)"),
        ("- [ ] tugas", r"\- \[ \] tugas"),
        ("1. satu", r"1\. satu"),
        ("12) dua", r"12\) dua"),
        ("+ tambah", r"\+ tambah"),
        ("=== judul", r"\=== judul"),
        ("/close", r"\/close"),
        ("a|b", r"a\|b"),
        ("lihat https://siakad.example/nilai?a=1&b=2.", "lihat `https://siakad.example/nilai?a=1&b=2`."),
        ("pukul 08:30:15", r"pukul 08\:30\:15"),
        ("NIP 196807081994031003", "NIP `196807081994031003`"),
        ("www.a.idGL-1", "`www.a.idGL-1`"),
        ("[-https://a.id", "`[-https://a.id`"),
        ("", ""),
    ],
)
def test_one_line(text: str, made: str):
    assert neutral.inline(text) == made


def test_prose_keeps_its_lines_and_paragraphs():
    made = neutral.paragraphs("Langkah:\r\n  1. masuk\r\n  2. /close\r\n\r\n \r\nLalu galat.\n")
    assert made == "Langkah\\:\\\n1\\. masuk\\\n2\\. /close\n\nLalu galat."
    assert shown(made) == "Langkah:\n1. masuk\n2. /close\nLalu galat.\n"
    assert neutral.paragraphs(" \n ") == ""


def test_a_block_keeps_every_space():
    text = "def f():\n\treturn '@all'\n\n    /close"
    made = neutral.block(f"\n{text}\n\n")
    assert made == " ```text\n def f():\n \treturn '@all'\n\n     /close\n ```"
    assert shown(made) == f"{text}\n"


@pytest.mark.parametrize("ticks", ["`", "```", "`````"])
def test_nothing_closes_a_block_from_inside(ticks: str):
    made = neutral.block(f"a\n{ticks}\n/close\n{ticks}text\nb")
    assert [token.type for token in MARKDOWN.parse(made)] == ["fence"]
    assert made.startswith(f" {'`' * max(3, len(ticks) + 1)}text\n")


def test_invisible_characters_go_and_half_a_pair_is_marked():
    assert neutral.clean("a\x00\u200b\u202e\ufeff\u2066b\x7f\x9b\tc\ud800") == "a" + "b\tc\ufffd"
    assert neutral.clean("a\r\nb\rc\vd\fe\u0085f\u2028g\u2029h\n\ri") == "a\nb\nc\nd\ne\nf\ng\nh\n\ni"


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("[SI-2026-000123] SIAKAD: Nilai tidak tersimpan", "[SI-2026-000123] SIAKAD: Nilai tidak tersimpan"),
        ("satu\n/close\r\n dua", "satu /close dua"),
        ("@all #12 !3", "@\u2060all #\u206012 !\u20603"),
        ("https://a.id", "https:\u2060//a.id"),
        ("deadbeefcafe0", "deadbe\u2060efcafe\u20600"),
        ("GL-7 [issue:1]", "GL-\u20607 [\u2060issue:\u20601]"),
        ("a & b: c", "a & b: c"),
    ],
)
def test_a_title(text: str, made: str):
    assert neutral.title(text) == made
    assert neutral.title(made) == made


def test_a_long_title_is_cut():
    assert neutral.title("x" * 255) == "x" * 255
    assert neutral.title("x" * 300) == "x" * 254 + "…"
    assert neutral.title("kata " * 80) == "kata " * 50 + "kata…"
    assert len(neutral.title("#1" * 200)) == 255


@given(HOSTILE)
@example("[-http://g.x/a")
@example("GL-3:smile:")
@example("http://g.x/a[-")
def test_a_line_does_nothing_wherever_it_is_put(text: str):
    made = neutral.inline(text)
    assert "\n" not in made
    for source in (made, f"Teks kami\n{made}", f"- **Judul:** {made}\n", f"| a | b |\n|---|---|\n| {made} | c |\n"):
        assert executed(source) == []
        for run in texts(MARKDOWN.parse(source)):
            assert not [name for name, pattern in REFERENCES.items() if re.search(pattern, run)]
    assert kinds(made) <= {"paragraph_open", "paragraph_close", "inline", "text", "text_special", "code_inline"}
    assert [token.type for token in MARKDOWN.parse(f"| a | b |\n|---|---|\n| {made} | c |\n")].count("td_open") == 2
    assert squeezed(shown(made)) == squeezed(neutral.clean(text))


@given(HOSTILE)
def test_prose_does_nothing(text: str):
    made = neutral.paragraphs(text)
    assert executed(made) == executed(f"Teks kami\n{made}\nTeks kami") == []
    assert kinds(made) <= {"paragraph_open", "paragraph_close", "inline", "text", "text_special", "code_inline", "hardbreak"}
    for run in texts(MARKDOWN.parse(made)):
        assert not [name for name, pattern in REFERENCES.items() if re.search(pattern, run)]
    assert squeezed(shown(made)) == squeezed(neutral.clean(text))


@given(HOSTILE)
def test_a_block_is_one_block(text: str):
    made = neutral.block(text)
    assert [token.type for token in MARKDOWN.parse(f"Teks\n\n{made}\n\nTeks")][3:-3] == ["fence"]
    assert executed(made) == executed(f"Teks kami\n{made}\nTeks kami") == []
    assert "<!--" not in made
    assert shown(made).strip("\n") == neutral.clean(text).replace("<!--", "< !--").strip("\n")


@given(HOSTILE)
def test_a_title_refers_to_nothing(text: str):
    made = neutral.title(text)
    assert len(made) <= neutral.TITLE_LIMIT
    assert "\n" not in made
    assert not [name for name in IN_TITLES if re.search(REFERENCES[name], made)]
    if len(made) < neutral.TITLE_LIMIT:
        assert made.replace("\u2060", "") == squeezed(neutral.clean(text))


@pytest.mark.parametrize("function", [*FUNCTIONS, neutral.title])
@pytest.mark.parametrize("piece", ["a", "a.", ":a", "[a", "\n ", "`", "://", "www.", "-http"])
def test_a_long_text_takes_no_long_time(function: Function, piece: str):
    function(piece * 50_000)
