"""Taking quick actions out of a text, without a server. The table of where a line counts is in tests/platform."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.gitlab.quickactions import COMMUNITY, SUBSTITUTIONS, Command, extract


def _commands(text, *, enterprise=True):
    return extract(text, enterprise=enterprise).commands


def test_name_and_argument():
    assert _commands('/label ~"a b"  \n/CLOSE') == (Command("label", '~"a b"'), Command("close"))


def test_the_rest_of_the_text_is_kept_to_the_letter():
    assert extract("satu  \n\n/close\n\ntiga\n\n    kode\n", enterprise=True).text == "satu  \n\n\ntiga\n\n    kode"


def test_substitutions():
    assert extract("/shrug entah", enterprise=True).text == f"entah {SUBSTITUTIONS['shrug']}"


def test_the_community_edition_knows_fewer_names():
    assert extract("/page x", enterprise=False).text == "/page x"
    assert extract("/page x", enterprise=True).text == ""


def test_form_feeds_and_other_separators_end_no_line():
    assert _commands("a\f/close") == ()
    assert _commands("a\x85/close\u2028/close") == ()


@given(st.text(alphabet="a/ \n\r\t>-`~#<!|$\\12.*", max_size=60), st.sampled_from(sorted(COMMUNITY)))
def test_a_backslash_before_every_leading_slash_leaves_nothing_to_execute(text, name):
    hostile = f"{text}\n/{name} x".replace("\r\n", "\n").replace("\r", "\n")
    escaped = "\n".join(f"\\{line}" if line.startswith("/") else line for line in hostile.split("\n"))
    assert _commands(escaped) == ()


@given(st.text(max_size=80))
def test_any_text_can_be_read(text):
    extracted = extract(text, enterprise=True)
    if not extracted.commands and "/" not in text:
        assert extracted.text == text.replace("\r", "").rstrip()


@pytest.mark.parametrize("text", [">>>\nx", ">>>\n>>>\n>>>", "> a\n>>>\n/close", "- >>>\n  /close\n  >>>\n/close"])
def test_odd_quotes_can_be_read(text):
    assert extract(text, enterprise=True).text
