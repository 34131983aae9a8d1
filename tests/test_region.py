"""The region in the users' description: one, ours, in its place; everything else theirs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.region import END, START, boxes, region, ticked, with_form, with_region

SHOWN = region("Langkah 04 dari 31")
OLD = region("Langkah 03 dari 31")


def test_a_region_comes_after_the_form():
    assert with_region("Formulir", SHOWN) == f"Formulir\n\n{SHOWN}"
    assert with_region("", SHOWN) == SHOWN


def test_a_region_is_replaced_where_it_stands():
    assert with_region(f"atas\n\n{OLD}\n\nbawah", SHOWN) == f"atas\n\n{SHOWN}\n\nbawah"


@pytest.mark.parametrize(
    ("broken", "kept"),
    [
        pytest.param(f"a {OLD} b {OLD} c", f"a {SHOWN} b  c", id="doubled"),
        pytest.param(f"a {START} b", f"a  b\n\n{SHOWN}", id="no end"),
        pytest.param(f"a {END} b", f"a  b\n\n{SHOWN}", id="no start"),
        pytest.param(f"a {END} b {START} c", f"a  b  c\n\n{SHOWN}", id="turned round"),
        pytest.param(f"a {START} b {OLD} c", f"a  b {SHOWN} c", id="a lone start before"),
        pytest.param(f"a {OLD} b {END} c", f"a {SHOWN} b  c", id="a lone end after"),
    ],
)
def test_a_broken_region_is_mended_without_losing_text(broken: str, kept: str):
    assert with_region(broken, SHOWN) == kept


WHOLE = region("### Kedudukan\n\n**Langkah 04**\n\n- [ ] 4.1 Form")


@pytest.mark.parametrize(
    ("broken", "kept"),
    [
        pytest.param(f"atas\n\n{START}\n\n### Kedudukan\n\n**Langkah 04**\n\ncatatan saya", "atas\n\ncatatan saya", id="the lower half"),
        pytest.param("**Langkah 04**\n\n- [ ] 4.1 Form\n\n" + END + "\n\nbawah", "bawah", id="the upper half"),
        pytest.param(f"atas\n\n### Kedudukan\n\n{START}", "atas\n\n### Kedudukan", id="a copy outside"),
    ],
)
def test_of_a_half_deleted_region_only_what_people_wrote_is_left(broken: str, kept: str):
    assert [line for line in with_region(broken, WHOLE).splitlines() if line] == [line for line in f"{kept}\n{WHOLE}".splitlines() if line]


def test_a_region_pasted_a_second_time_goes():
    assert with_region(f"atas\n\n{WHOLE}\n\ntengah\n\n{WHOLE}\n\nbawah", WHOLE) == f"atas\n\n{WHOLE}\n\ntengah\n\n\n\nbawah"


@given(st.lists(st.sampled_from([START, END, "teks", "\n", "- [x] 4.1 a"])).map(" ".join))
def test_there_is_always_exactly_one_and_the_second_time_changes_nothing(description: str):
    once = with_region(description, SHOWN)
    assert once.count(START) == once.count(END) == once.count(SHOWN) == 1
    assert with_region(once, SHOWN) == once


@given(st.lists(st.sampled_from([START, END, "\n\n"])), st.text("abc", min_size=1))
def test_text_outside_survives(markers: list[str], text: str):
    assert text in with_region(f"{text}{''.join(markers)}", SHOWN)


def test_a_revised_form_takes_the_place_of_the_one_before():
    assert with_form("x\n\nv1\n\ny", ["v1"], "v2") == "x\n\nv2\n\ny"


@pytest.mark.parametrize("description", ["x v1 yang diubah pengguna", "v2 sudah ada"])
def test_a_form_people_changed_is_left_to_them(description: str):
    assert with_form(description, ["v1\n"], "v2") == description
    assert with_form(description, ["v2"], "v2") == description


def test_only_boxes_of_the_region_count():
    shown = region("- [x] 4.1 Satu\n- [ ] 4.2 Dua\n* [X] 20.5 Lima\n- [x] 21\\.3 Tiga\n- [x] lain")
    assert ticked(f"- [x] 9.9 di luar\n{shown}") == {"4.1", "20.5", "21.3"}
    assert boxes(f"- [x] 9.9 di luar\n{shown}") == {"4.1", "4.2", "20.5", "21.3"}
    assert ticked("- [x] 4.1 tanpa bagian layanan") == boxes("") == frozenset()
