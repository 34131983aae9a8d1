"""What both readers of YAML files rely on: where things stand, keys given twice, and files that cannot be opened."""

from pathlib import Path

import pytest

from integration.yamlfile import FileFaults, pairs, read

SAID = {
    "syntax": "tidak sah",
    "alias": "acuan",
    "not-entries": "bukan isian",
    "twice": "{given} dua kali",
    "unknown": "{given} tidak dikenal;{hint}",
    "hint-nearest": " mungkin {nearest}",
    "hint-known": " dikenal: {known}",
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "berkas.yaml"
    path.write_text("a: 1\nb:\n  c: 2\n  d: 3\nb:\n  c: 4\n  c: 5\n", encoding="utf-8")
    return path


def test_of_a_key_given_twice_the_first_counts_and_the_second_is_told_alone(file: Path):
    root, faults = read(file, SAID)
    assert root is not None
    assert [str(fault) for fault in faults] == [f"{file}:5: b: b dua kali"]
    assert [key.value for key, _ in pairs(root)["b"].value] == ["c", "d"]


def test_a_fault_stands_on_the_line_of_its_place_or_of_what_is_around_it(file: Path):
    _, faults = read(file, SAID)
    faults.unknown(("b", "d"), "unknown", "alfa", ["alpa", "beta"])
    faults.unknown(("a", 1, "x"), "unknown", "zzz", ["alpa", "beta"])
    faults.unknown(("b", "d"), "unknown", "alfa", ["alpa", "beta"])
    assert str(FileFaults(sorted(faults))).splitlines() == [
        f"{file}:1: a[2].x: zzz tidak dikenal; dikenal: alpa, beta",
        f"{file}:4: b.d: alfa tidak dikenal; mungkin alpa",
        f"{file}:5: b: b dua kali",
    ]


def test_a_file_that_cannot_be_opened_is_a_fault_only_where_there_are_words_for_it(tmp_path: Path):
    missing = tmp_path / "tidak-ada.yaml"
    with pytest.raises(FileNotFoundError):
        read(missing, SAID)
    root, faults = read(missing, SAID | {"unreadable": "tidak terbaca"})
    assert (root, [str(fault) for fault in faults]) == (None, [f"{missing}:1: tidak terbaca"])
