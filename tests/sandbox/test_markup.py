"""Checkboxes and safe HTML."""

import pytest

from sandbox.gitlab import markup


def test_checkboxes_are_found_in_order_and_not_in_code():
    text = "- [ ] satu\n1. [x] dua\n```\n- [ ] bukan\n```\n> * [X] tiga\n[ ] bukan\n- [] bukan"
    assert [(task.text, task.done) for task in markup.tasks(text)] == [("satu", False), ("dua", True), ("tiga", True)]


def test_ticking_changes_one_line():
    text = "- [ ] satu\n- [ ] dua\nlain"
    assert markup.ticked(text, markup.tasks(text)[1], done=True) == "- [ ] satu\n- [x] dua\nlain"
    assert markup.ticked("- [x] satu", markup.tasks("- [x] satu")[0], done=False) == "- [ ] satu"


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '<a href="javascript:alert(1)">x</a>',
        "<!-- rahasia -->",
        "<iframe src=x></iframe>",
    ],
)
def test_nothing_dangerous_and_no_comment_is_shown(hostile):
    shown = markup.html(f"a\n\n{hostile}")
    assert not any(word in shown for word in ("alert", "rahasia", "iframe", "onerror"))


def test_checkboxes_tables_and_code_are_shown():
    shown = markup.html("- [x] a\n- [ ] b\n\n| k |\n|---|\n| v |\n\n```text\n<b>\n```")
    assert shown.count('type="checkbox"') == 2
    assert shown.count("checked") == 1
    assert "<td>v</td>" in shown
    assert "&lt;b&gt;" in shown


def test_a_missing_text_is_empty():
    assert markup.html(None) == ""
