"""Every fault a procedure file can have, found with its line: a valid file, one thing changed.

The line a fault must name carries the mark `#!` in the changed file.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from integration.procedures import Fault, check
from integration.templates import messages

MARK = "#!"


@dataclass(frozen=True)
class Change:
    """Replacements in the valid file, and the kinds of the faults they make, from top to bottom, on the marked lines."""

    kinds: str
    replacements: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return self.kinds


def change(kinds: str, *pairs: str) -> Change:
    return Change(kinds, tuple(zip(pairs[::2], pairs[1::2], strict=True)))


DUTY = """duty:
  word: progres
  first: 3
  last: 9
  step: 4
  outcome: selesai
  document: berkala
  parts:
    - {title: Identitas, kind: service}
    - {title: Persentase, kind: percent}
    - Kendala
"""

AFTER_CHECK = """    also: [kepala]
    requirements:
      - {text: Jadwal, supply: schedule}
    standard: {text: 15 Menit, amount: 15, unit: minutes}
    outcomes:
      lengkap: {to: 3}
      perbaiki: {back_to: 1}
      tolak: {ends: ditolak}
    sections:
      - {title: Mulai, kind: date}
      - Catatan
    products:
      - {document: rencana, edition: draft}
  - number: 3"""

AFTER_CHECK_REFUSED = AFTER_CHECK.replace("edition: draft}", "edition: draft, after: [tolak]}")

CHANGES = [
    # the file
    change("unknown-key", "form: FRM-CT-001", "form: FRM-CT-001\nfrom: FRM-CT-001 #!"),
    change("unknown-key", "    name: Penugasan", "    name: Penugasan\n    perfomer: kepala #!"),
    change("twice", "opens_at: 2", "opens_at: 2\nopens_at: 3 #!"),
    change("twice", "      perbaiki: {back_to: 1}", "      perbaiki: {back_to: 1}\n      lengkap: {to: 4} #!"),
    change("missing", "slug: contoh\n", "", 'revision: "2026-01"', 'revision: "2026-01" #!'),
    change("missing", "    text: Menugaskan\n", "", "  - number: 3", "  - number: 3 #!"),
    change("missing", "{slug: uu-1, title: Undang-Undang Satu}", "{slug: uu-1} #!"),
    change("empty", "prefix: CT", "prefix: #!"),
    change("empty", "    name: Penugasan", '    name: "  " #!'),
    change(
        "not-entries",
        "verification: [5, 6]\n\nemergency: {first: 7, last: 8, debt_days: 5}", "verification: [5, 6]\n\nemergency: 7 #!",
    ),
    change("not-entries", "  - {slug: uu-1, title: Undang-Undang Satu}", "  - uu-1 #!"),
    change("not-list", "verification: [5, 6]", "verification: 5 #!"),
    change("not-list", "    gates: [revoked]", "    gates: [] #!"),
    change("not-text", "form: FRM-CT-001", "form: [FRM-CT-001] #!"),
    change("not-number", "opens_at: 2", "opens_at: dua #!"),
    change("not-number", "revises_at: 1", "revises_at: 0 #!"),
    change("not-flag", "team: true, superior: seksi}", "team: ya, superior: seksi} #!"),
    change("unknown-word", "{slug: kepala, name: Kepala, channel: platform}", "{slug: kepala, name: Kepala, channel: plaform} #!"),
    change("unknown-word", "    gates: [grant]", "    gates: [hibah] #!"),
    change("unknown-word", "supply: schedule}", "supply: jadwal} #!"),
    # names and references
    change("bad-word", "slug: contoh", "slug: Contoh Satu #!"),
    change("bad-word", "      tolak: {ends: ditolak}", "      Tolak: {ends: ditolak} #!"),
    change("bad-prefix", "prefix: CT", "prefix: ct #!"),
    change(
        "twice",
        "name: Seksi, channel", "name: KEPALA, channel",
        "superior: kepala}\n  - {slug: tim", "superior: kepala} #!\n  - {slug: tim",
    ),
    change("twice", "slug: uu-2,", "slug: uu-1,", "title: Undang-Undang Dua}", "title: Undang-Undang Dua} #!"),
    change("twice", "      - Catatan", "      - mulai #!"),
    change("twice", "      - {document: data}", "      - {document: data}\n      - {document: data} #!"),
    change("twice", "    also: [kepala]", "    also: [seksi] #!"),
    change("twice", "  - POS Lain Dua\n\nlaws", "  - POS Lain, Satu #!\n\nlaws"),
    change("reserved-word", "      tolak: {ends: ditolak}", "      jeda: {ends: ditolak} #!"),
    change("reserved-word", "word: progres", "word: kembali #!", "  progres:", "  kembali:"),
    change("unknown-role", "    performer: kepala\n    source: text", "    performer: kepla #!\n    source: text"),
    change("unknown-role", "    also: [kepala]", "    also: [kepla] #!"),
    change("unknown-role", "darurat: {roles: [kepala], note: Alasan.}", "darurat: {roles: [kepla], note: Alasan.} #!"),
    change("unknown-role", "channel: platform, superior: kepala}", "channel: platform, superior: kepla} #!"),
    change("superior-elsewhere", "team: true, superior: seksi}", "team: true, superior: unit} #!"),
    change("superior-elsewhere", "portal, superior: seksi}", "portal, superior: tim} #!"),
    change("superior-circle", "name: Kepala, channel: platform}", "name: Kepala, channel: platform, superior: kepala} #!"),
    change(
        "superior-circle superior-circle",
        "{slug: kepala, name: Kepala, channel: platform}", "{slug: kepala, name: Kepala, channel: platform, superior: seksi} #!",
        "channel: platform, superior: kepala}", "channel: platform, superior: kepala} #!",
    ),
    change("unknown-command", "  alihkan:", "  alihkn: {roles: [kepala], note: Alasan.} #!\n  alihkan:"),
    change("unknown-step", "      lengkap: {to: 3}", "      lengkap: {to: 33} #!"),
    change("unknown-step", "opens_at: 2", "opens_at: 20 #!"),
    change("unknown-step", "  last: 9", "  last: 90 #!"),
    change("unknown-step", "verification: [5, 6]", "verification: [5, 60] #!"),
    change("unknown-step", "first: 7, last: 8, debt_days: 5}", "first: 7, last: 80, debt_days: 5} #!"),
    change("unknown-outcome", "  outcome: selesai", "  outcome: lengkap #!"),
    change("unknown-outcome", "after: [diterima]}", "after: [diterma]} #!"),
    change("unknown-document", "      - {document: data}", "      - {document: dta} #!"),
    change("unknown-document", "      - {document: data}", "      - {document: formulir} #!"),
    change("unknown-document", "{document: formulir}}", "{document: formuler}} #!"),
    change("unknown-document", "  document: berkala", "  document: formulir #!"),
    change("unknown-attachment", "attachment: formulir}]", "attachment: laporan}] #!"),
    change("unknown-edition", "document: laporan, edition: final}}", "document: laporan, edition: akhir}} #!"),
    change("unknown-edition", "signatures: {final: 1}}", "signatures: {draft: 1}} #!"),
    change("too-many-signatures", "signatures: {final: 1}}", "signatures: {final: 2}} #!"),
    change("nobody-may", "  tanda-tangan: {roles: [seksi], note: Alasan.}\n", "", "signatures: {final: 1}}", "signatures: {final: 1}} #!"),
    change("not-number", "signatures: {final: 1}}", "signatures: {final: ya}} #!"),
    change("unknown-related", "  - POS Lain Dua\n\nlaws", "  - POS Lain Tiga #!\n\nlaws"),
    change("nobody-may", "  darurat: {roles: [kepala], note: Alasan.}\n", "", "debt_days: 5}", "debt_days: 5} #!"),
    change("nobody-may", "  cabut-akses: {roles: [seksi], note: Alasan.}\n", "", "    gates: [revoked]", "    gates: [revoked] #!"),
    change("nobody-may", "  progres: {roles: [tim], note: Alasan.}\n", "", "duty:", "duty: #!"),
    change("nobody-may", "  alihkan: {roles: [kepala], note: Alasan.}\n", "", "handoffs:", "handoffs: #!"),
    # steps
    change("step-number", "  - number: 9", "  - number: 10 #!", "last: 9", "last: 8", "{to: 9}", "{to: 10}"),
    change("revises-elsewhere", "revises_at: 1", "revises_at: 2 #!", "      perbaiki: {back_to: 1}\n", ""),
    change(
        "revises-elsewhere",
        "    performer: unit\n    source: text", "    performer: seksi\n    source: text",
        "revises_at: 1", "revises_at: 1 #!",
    ),
    change("no-performer", "    performer: kepala\n    source: text\n", "", "  - number: 3", "  - number: 3 #!"),
    change("performer-and-source", "    performer: kepala\n    source: text", "    performer: kepala", "  - number: 3", "  - number: 3 #!"),
    change(
        "also-fixed",
        "    source: mark\n    requirements:\n      - {text: Akses,",
        "    source: mark\n    also: [seksi] #!\n    requirements:\n      - {text: Akses,",
    ),
    change("no-outcome", "    outcomes:\n      selesai: {to: 4}\n", "", "  - number: 3", "  - number: 3 #!"),
    change("recorded", "      - {text: Formulir, supply: form}", "      - {text: Formulir, supply: form}\n    sections: [Catatan] #!"),
    change("recorded-supply", "      - {text: Formulir, supply: form}", "      - {text: Formulir, supply: team} #!"),
    change("one-way", "      lengkap: {to: 3}", "      lengkap: {to: 3, back_to: 1} #!"),
    change("one-way", "      tolak: {ends: ditolak}", "      tolak: {} #!"),
    change("not-later", "      selesai: {to: 4}", "      selesai: {to: 2} #!"),
    change("not-earlier", "      tolak-hasil: {back_to: 8}", "      tolak-hasil: {back_to: 9} #!"),
    change(
        "back-to-recorded",
        "opens_at: 2", "opens_at: 3",
        "letter: {document: rencana, draft: 2, approval: 3, receipt: 4}\n", "",
        AFTER_CHECK, "    requirements:\n      - {text: Formulir pula, supply: form}\n  - number: 3",
        "supply: {document: rencana, edition: draft}}", "supply: form}",
        "      tolak-hasil: {back_to: 8}", "      tolak-hasil: {back_to: 2} #!",
    ),
    change("standard-amount", "{text: 15 Menit, amount: 15, unit: minutes}", "{text: 15 Menit, unit: minutes} #!"),
    change("standard-amount", "{text: Tiap minggu, unit: weekly}", "{text: Tiap minggu, amount: 1, unit: weekly} #!"),
    change(
        "duty-kind",
        "      - {title: Mulai, kind: date}", "      - {title: Mulai, kind: date}\n      - {title: Persen, kind: percent} #!",
    ),
    change("portal-sections", "    sections: [Hasil]", "    sections: [Hasil, Catatan] #!"),
    change("portal-sections", "    sections: [Hasil]", "    sections: [{title: Hasil, kind: date}] #!"),
    change("no-document", "{text: Data akses, supply: section}", "{text: Data akses, supply: document} #!"),
    change(
        "unknown-command no-report",
        DUTY, "", "  progres: {roles: [tim], note: Alasan.}", "  progres: {roles: [tim], note: Alasan.} #!",
        "supply: report}", "supply: report} #!",
    ),
    change("no-section", "{text: Akses, supply: grant}", "{text: Akses, supply: section} #!"),
    change(
        "no-schedule",
        "{text: Jadwal, supply: schedule}", "{text: Jadwal, supply: schedule} #!",
        "title: Mulai, kind: date", "title: Mulai",
    ),
    change("portal-supply", "{document: laporan, edition: final}}", "tick} #!"),
    change("portal-supply", "{document: laporan, edition: final}}", "account} #!"),
    change("portal-document", "{document: laporan, edition: final}}", "{document: data}} #!"),
    # rules beside the table
    change("duty-range", "  first: 3", "  first: 5", "duty:", "duty: #!"),
    change("duty-sections", "      selesai: {to: 5}", "      selesai: {to: 5}\n    sections: [Kendala] #!"),
    change("duty-percent", "    - {title: Persentase, kind: percent}\n", "", "  parts:", "  parts: #!"),
    change(
        "verification-chain",
        "verification: [5, 6]", "verification: [5, 7] #!",
        "    performer: seksi\n    source: mark", "    performer: kepala\n    source: mark",
    ),
    change(
        "verification-signer",
        "    performer: kepala\n    source: inferred", "    performer: tim\n    source: inferred",
        "verification: [5, 6]", "verification: [5, 6] #!",
    ),
    change("emergency-range", "{first: 7, last: 8, debt_days: 5}", "{first: 8, last: 7, debt_days: 5} #!"),
    change("emergency-range", "{first: 7, last: 8, debt_days: 5}", "{first: 7, last: 9, debt_days: 5} #!"),
    change(
        "emergency-chain",
        "{first: 7, last: 8, debt_days: 5}", "{first: 7, last: 8, debt_days: 5} #!",
        "      selesai: {to: 8}", "      selesai: {to: 9}",
    ),
    change("letter-steps", "draft: 2, approval: 3, receipt: 4}", "draft: 2, approval: 4, receipt: 5} #!", "letter: {", "letter: {"),
    change("letter-steps", "draft: 2, approval: 3, receipt: 4}", "draft: 2, approval: 3, receipt: 3} #!", "letter: {", "letter: {"),
    change("unknown-step", "receipt: 4}", "receipt: 40} #!"),
    change("unknown-document", "letter: {document: rencana", "letter: {document: rencan", "receipt: 4}", "receipt: 4} #!"),
    # ways through the steps
    change("unreachable", "      lengkap: {to: 3}", "      lengkap: {to: 4}", "  - number: 3", "  - number: 3 #!"),
    change(
        " ".join(["no-end"] * 8), "      terima: {ends: selesai}", "      terima: {ends: ditolak}",
        *(part for n in range(2, 10) for part in (f"  - number: {n}", f"  - number: {n} #!")),
    ),
    change("not-made", "{text: Laporan, supply: report}", "{text: Laporan, supply: {document: laporan}} #!"),
    change("not-made", "document: rencana, edition: draft}}", "document: rencana, edition: draft}} #!", AFTER_CHECK, AFTER_CHECK_REFUSED),
    change("not-made", "  document: berkala\n", "", "supply: {document: berkala}}", "supply: {document: berkala}} #!"),
    change("not-made-in-emergency", "supply: {document: data}}", "supply: {document: laporan}} #!"),
]  # fmt: skip


def faults_of(text: str, folder: Path) -> list[Fault]:
    file = folder / "changed.yaml"
    file.write_text(text, encoding="utf-8")
    return check(file)


@pytest.mark.parametrize("changed", CHANGES, ids=str)
def test_one_change_makes_its_faults_on_their_lines_and_no_others(changed: Change, every_rule: str, tmp_path: Path) -> None:
    text = every_rule
    for old, new in changed.replacements:
        assert text.count(old) == 1, f"{old!r} is not there exactly once"
        text = text.replace(old, new)
    marked = {number for number, line in enumerate(text.splitlines(), start=1) if MARK in line}

    found = faults_of(text, tmp_path)

    assert [fault.kind for fault in found] == changed.kinds.split()
    assert {fault.line for fault in found} == marked


def test_every_kind_of_fault_is_tested() -> None:
    kinds = {kind for changed in CHANGES for kind in changed.kinds.split()} | {"nothing", "syntax", "alias"}
    other = ("hint-", "column-", "source-", "also-role", "also-attachment", "recorded-step", "word-of-report", "legend", "rank")

    assert {key for key in messages("procedure") if not key.startswith(other)} == kinds


def test_all_faults_are_named_at_once(every_rule: str, tmp_path: Path) -> None:
    text = every_rule
    for old, new in (
        ("prefix: CT", "prefix: ct"),
        ("form: FRM-CT-001", "from: FRM-CT-001"),
        ("verification: [5, 6]", "verification: [6, 5]"),
        ("      lengkap: {to: 3}", "      lengkap: {to: 33}"),
        ("    sections: [Hasil]", "    sections: [Hasil, Hasil]"),
    ):
        text = text.replace(old, new)

    found = faults_of(text, tmp_path)

    assert [fault.kind for fault in found] == [
        "missing",
        "bad-prefix",
        "unknown-key",
        "verification-chain",
        "unknown-step",
        "portal-sections",
        "twice",
    ]


def test_ways_are_not_judged_beside_a_wrong_number(every_rule: str, tmp_path: Path) -> None:
    text = every_rule.replace("      selesai: {to: 4}", "      selesai: {to: 44}")

    assert [fault.kind for fault in faults_of(text, tmp_path)] == ["unknown-step"]


@pytest.mark.parametrize(
    ("text", "kind", "line"),
    [
        ("", "nothing", 1),
        ("# nothing but a remark\n", "nothing", 1),
        ("~", "nothing", 1),
        ("slug: a\nroles: [\n", "syntax", 3),
        ("slug: a\n\tb: c\n", "syntax", 2),
        ("slug: a\n---\nslug: b\n", "syntax", 2),
        ("slug: \x00", "syntax", 1),
        ("slug: &a b\nprefix: *a\n", "alias", 2),
        ("- slug: a\n", "not-entries", 1),
        ("just words", "not-entries", 1),
    ],
)
def test_a_file_that_is_no_procedure_at_all(text: str, kind: str, line: int, tmp_path: Path) -> None:
    assert [(fault.kind, fault.line) for fault in faults_of(text, tmp_path)] == [(kind, line)]


def test_a_file_in_another_encoding_is_a_fault(tmp_path: Path) -> None:
    file = tmp_path / "latin.yaml"
    file.write_bytes("name: Kebijakan caf\xe9".encode("latin-1"))

    assert [fault.kind for fault in check(file)] == ["syntax"]


def test_nothing_in_the_file_is_ever_carried_out(every_rule: str, tmp_path: Path) -> None:
    text = every_rule.replace("    text: Memeriksa", "    text: !!python/object/apply:os.getcwd []")

    assert [fault.kind for fault in faults_of(text, tmp_path)] == ["not-text"]


def test_the_nearest_name_is_offered_and_the_known_ones_where_none_is_near(every_rule: str, tmp_path: Path) -> None:
    (near,) = faults_of(every_rule.replace("    also: [kepala]", "    also: [kepla]"), tmp_path)
    (far,) = faults_of(every_rule.replace("    also: [kepala]", "    also: [dekan]"), tmp_path)

    assert near.message == "Peran “kepla” tidak ada dalam daftar peran. Mungkin maksudnya “kepala”."
    assert far.message == "Peran “dekan” tidak ada dalam daftar peran. Yang dikenal: unit, kepala, seksi, tim."
    assert near.path == "steps[2].also[1].role"


def test_whatever_is_taken_out_or_put_in_check_answers(every_rule: str, tmp_path: Path) -> None:
    lines = every_rule.splitlines()
    value = re.compile(r"(?<=: )[^{\[].*$")
    others = ("[]", "{}", "~", "-1", "*x", "!!binary aGk=", "[[[")
    for number, line in enumerate(lines):
        changed = value.sub(others[number % len(others)], line) if number % 2 else ""
        found = faults_of("\n".join([*lines[:number], changed, *lines[number + 1 :]]), tmp_path)
        assert all(1 <= fault.line <= len(lines) + 1 for fault in found)
