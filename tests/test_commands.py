"""A comment's first line as a command: what is understood, what is forgiven, what is not a command at all."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.commands import (
    LONGEST,
    LONGEST_SECTIONS,
    TOO_LONG,
    Asked,
    Assign,
    Attach,
    Check,
    Emergency,
    Grant,
    HandOff,
    Help,
    Malformed,
    Misplaced,
    NotACommand,
    Outcome,
    Pause,
    Progress,
    Reading,
    Resume,
    Revoke,
    Unknown,
    Withdraw,
    read,
)
from integration.procedure.lines import command_line
from integration.procedures import load

WORDS = frozenset({"lengkap", "revisi", "setuju", "tolak", "selesai", "kembali", "terima", "diterima", "dikembalikan", "perlu-perbaikan"})
WORDS |= {"lulus", "gagal", "serahkan", "tolak-fungsi", "tolak-dokumen"}
DOCUMENTS = frozenset({"berita-acara-uji-coba", "berita-acara-serah-terima", "formulir-uji-coba", "jadwal", "buku-panduan"})
HANDOFFS = (
    "POS Pengembangan Sistem Informasi (SI) Baru",
    "POS Pengembangan Sistem Informasi (SI) Lanjutan",
    "POS Backup dan Restore Laman, Data, Konfigurasi Server, dan Infrastruktur TIK – Rutin",  # noqa: RUF001 - as it is issued
    "POS Pelaporan Insiden Siber",
    "POS Pelaporan Insiden",
)
HASH = "0123456789abcdef" * 2


def asked(body: str) -> Reading:
    return read(body, WORDS, DOCUMENTS, HANDOFFS)


@pytest.mark.parametrize(
    "body",
    [
        "/pos setuju",
        "/POS Setuju",
        "  /pos\tsetuju  ",
        "\n\n/pos setuju",
        "/pos setuju.",
        "/pos  SETUJU,",
        "\ufeff/pos setuju",
        "/pos: setuju",
        "/ pos setuju",
        "/pos setuju !",
        "/pos\u00a0setuju",
        "/pos setuju\r\n",
    ],
)
def test_case_and_spacing_are_forgiven(body: str):
    assert asked(body) == Outcome("setuju", "", ())


@pytest.mark.parametrize(
    "body",
    [
        "",
        "\n \n",
        "setuju",
        "Baik, /pos setuju",
        "> /pos setuju",
        "`/pos setuju`",
        "```\n/pos setuju\n```",
        "    /pos setuju",
        "\t/pos setuju",
        "- /pos setuju",
        "\\/pos setuju",
        "/posisi setuju",
        "/pos-setuju",
        "//pos setuju",
        "<!-- /pos setuju -->",
        "<!--\n/pos setuju\n-->",
        "~~~\n/pos setuju\n~~~",
        ">>>\n/pos setuju\n>>>",
        ">/pos setuju",
        "> Bu Kadiv menulis:\n> /pos setuju",
        "* /pos setuju",
        "1. /pos setuju",
        "| /pos setuju |",
        "# /pos setuju",
        "**/pos setuju**",
        "<details>\n\n/pos setuju\n</details>",
        "Apakah saya menulis /pos setuju di sini?",
        "@kepala /pos setuju",
        "Untuk /pos lihat panduan",
    ],
)
def test_an_ordinary_comment(body: str):
    assert asked(body) == NotACommand()


@pytest.mark.parametrize("body", ["Baik.\n/pos setuju", "> kutipan\n\n/pos setuju", "# Judul\n\n   /POS apa saja", "```\nx\n```\n/pos"])
def test_a_command_below_other_text_is_none_but_known_as_one(body: str):
    assert asked(body) == Misplaced()


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("/pos perlu perbaikan", "perlu-perbaikan"),
        ("/pos perlu_perbaikan", "perlu-perbaikan"),
        ("/pos Tolak–Fungsi", "tolak-fungsi"),  # noqa: RUF001 - as a phone writes it
        ("/pos tolak", "tolak"),
    ],
)
def test_a_word_of_two_parts(body: str, word: str):
    assert asked(f"{body} fitur hilang") == Outcome(word, "fitur hilang", ())


def test_a_shorter_word_wins_over_a_joined_one():
    assert asked("/pos tolak dokumen belum lengkap") == Outcome("tolak", "dokumen belum lengkap", ())


def test_the_reason_is_the_rest_of_the_line_and_the_text_below_it():
    assert asked("/pos revisi: bukti kurang\n\nMohon lampirkan\ntangkapan layar.\n\n### Urgensi\ntinggi") == Outcome(
        "revisi", "bukti kurang\nMohon lampirkan\ntangkapan layar.", (("Urgensi", "tinggi"),)
    )


@pytest.mark.parametrize("mark", [".", "-", "...", "!?", "_"])
def test_a_reason_without_a_word_is_none(mark: str):
    assert asked(f"/pos tolak {mark}") == Outcome("tolak", "", ())
    assert asked(f"/pos jeda\n{mark}") == Pause("")
    assert asked(f"/pos alihkan 4 {mark}") == HandOff("POS Pelaporan Insiden Siber", "")


def test_sections_of_any_level_and_shape():
    body = """/pos lengkap
### Hasil analisis awal
Galat 500.

- satu
#### Urgensi:
tinggi
## **Dampak** ##
fakultas
# Kode C#
###Tanpa spasi
isi
#12 bukan judul
#tagar juga bukan
### #
###
"""
    assert asked(body) == Outcome(
        "lengkap",
        "",
        (
            ("Hasil analisis awal", "Galat 500.\n\n- satu"),
            ("Urgensi", "tinggi"),
            ("Dampak", "fakultas"),
            ("Kode C#", ""),
            ("Tanpa spasi", "isi\n#12 bukan judul\n#tagar juga bukan\n### #\n###"),
        ),
    )


@pytest.mark.parametrize(("opening", "closing"), [("```", "```"), ("````text", "`````"), ("~~~", "~~~"), ("  ```sh", "  ``` ")])
def test_headings_and_commands_in_code_are_text(opening: str, closing: str):
    code = f"{opening}\n### bukan judul\n/pos tolak\n``\n{closing}"
    assert asked(f"/pos selesai\n### Bukti\n{code}\n### Risiko\nrendah") == Outcome(
        "selesai", "", (("Bukti", code.strip()), ("Risiko", "rendah"))
    )


def test_a_fence_that_is_never_closed_swallows_the_rest():
    assert asked("/pos selesai\n### A\n```\n### B\nc") == Outcome("selesai", "", (("A", "```\n### B\nc"),))


@pytest.mark.parametrize("second", ["/pos tolak", "  /POS tolak karena", "/pos"])
def test_only_the_first_command_counts_and_the_answer_can_say_so(second: str):
    assert asked(f"/pos setuju\n{second}\n### A\nb") == Outcome("setuju", "", (("A", "b"),), extra=True)
    assert asked(f"/pos cek\n### A\nb\n{second}") == Check(extra=True)
    assert asked(f"/pos entah\n{second}") == Unknown("entah", None, extra=True)
    assert asked(f"/pos\n{second}") == Help(extra=True)
    assert asked(f"/pos lampir jadwal\n{second}") == Malformed("lampir", "upload", "lampir", extra=True)


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ("/pos cek", Check()),
        ("/pos bantuan", Help()),
        ("/pos", Help()),
        ("/pos lanjut", Resume()),
        ("/pos jeda menunggu vendor\nsampai Senin", Pause("menunggu vendor\nsampai Senin")),
        ("/pos jeda", Pause("")),
        ("/pos darurat server SIAKAD lumpuh", Emergency("server SIAKAD lumpuh")),
        ("/pos batal unit kerja tidak jadi", Withdraw("unit kerja tidak jadi")),
        ("/pos tugaskan @budi.s @ani_w @joko-1", Assign(("budi.s", "ani_w", "joko-1"))),
        ("/pos tugaskan @budi, @ani; dan @joko.", Assign(("budi", "ani", "joko"))),
        ("/pos tugaskan @Budi @budi @ani\\_w", Assign(("Budi", "ani_w"))),
        ("/pos progres 60", Progress(60, ())),
        ("/pos progres 60%", Progress(60, ())),
        ("/pos progres 100 %.", Progress(100, ())),
        ("/pos progres 0 persen", Progress(0, ())),
        ("/pos progres 60 lancar", Progress(60, ())),
        ("/pos progres\n### Kendala dan solusi\ntidak ada", Progress(None, (("Kendala dan solusi", "tidak ada"),))),
        ("/pos akses @budi app-01 baca tulis sampai 2026-12-31", Grant("budi", "app-01", "baca tulis", date(2026, 12, 31))),
        ("/pos akses @budi app-01, deploy, sampai dengan 31 Desember 2026.", Grant("budi", "app-01", "deploy", date(2026, 12, 31))),
        ("/pos akses @budi app-01 deploy s.d. 31/12/2026", Grant("budi", "app-01", "deploy", date(2026, 12, 31))),
        ("/pos akses @budi app-01 deploy hingga tanggal 1 agt 2026", Grant("budi", "app-01", "deploy", date(2026, 8, 1))),
        ("/pos cabut-akses @budi app-01", Revoke("budi", "app-01")),
        ("/pos cabut akses @budi app-01.", Revoke("budi", "app-01")),
        ("/pos alihkan POS Pelaporan Insiden Siber: data bocor", HandOff("POS Pelaporan Insiden Siber", "data bocor")),
        ("/pos alihkan pelaporan insiden siber\ndata bocor", HandOff("POS Pelaporan Insiden Siber", "data bocor")),
        ("/pos alihkan Pelaporan Insiden kehilangan", HandOff("POS Pelaporan Insiden", "kehilangan")),
        ("/pos alihkan *Pengembangan Sistem Informasi (SI) Lanjutan* — fitur baru", HandOff(HANDOFFS[1], "fitur baru")),
        ("/pos alihkan pengembangan sistem informasi si baru", HandOff(HANDOFFS[0], "")),
        ("/pos alihkan backup dan restore laman data konfigurasi server dan infrastruktur tik rutin ya", HandOff(HANDOFFS[2], "ya")),
        ("/pos alihkan pelaporan   INSIDEN siber.\n### Alasan\ndata bocor", HandOff("POS Pelaporan Insiden Siber", "Alasan\ndata bocor")),
        ("/pos alihkan backup: cadangan rutin", HandOff(HANDOFFS[2], "cadangan rutin")),
        ("/pos alihkan POS Backup dan Restore - cadangan rutin", HandOff(HANDOFFS[2], "cadangan rutin")),
        ("/pos alihkan backup dan restore\ncadangan rutin", HandOff(HANDOFFS[2], "cadangan rutin")),
        ("/pos jeda menunggu\n### Data\nlog server", Pause("menunggu\nData\nlog server")),
        ("/pos darurat\n### KRS lumpuh", Emergency("KRS lumpuh")),
        ("/pos alihkan 4 data bocor", HandOff("POS Pelaporan Insiden Siber", "data bocor")),
        ("/pos alihkan 1. fitur baru", HandOff(HANDOFFS[0], "fitur baru")),
    ],
)
def test_the_other_commands(body: str, command: Asked):
    assert asked(body) == command


@pytest.mark.parametrize(
    ("body", "word", "problem"),
    [
        ("/pos tugaskan", "tugaskan", "account"),
        ("/pos tugaskan budi", "tugaskan", "account"),
        ("/pos tugaskan @budi ani", "tugaskan", "account"),
        ("/pos tugaskan @", "tugaskan", "account"),
        ("/pos progres banyak", "progres", "percent"),
        ("/pos progres 60,5", "progres", "percent"),
        ("/pos progres -5", "progres", "percent"),
        ("/pos progres 101", "progres", "percent"),
        ("/pos progres 1000", "progres", "percent"),
        ("/pos progres %", "progres", "percent"),
        ("/pos akses", "akses", "account"),
        ("/pos akses budi app-01 deploy sampai 2026-12-31", "akses", "account"),
        ("/pos akses @budi sampai 2026-12-31", "akses", "server"),
        ("/pos akses @budi app-01 sampai 2026-12-31", "akses", "right"),
        ("/pos akses @budi app-01 deploy", "akses", "until"),
        ("/pos akses @budi app-01 deploy sampai", "akses", "until"),
        ("/pos akses @budi app-01 deploy sampai besok", "akses", "until"),
        ("/pos akses @budi app-01 deploy sampai 2026-02-30", "akses", "until"),
        ("/pos akses @budi app-01 deploy sampai 2026-13-01", "akses", "until"),
        ("/pos akses @budi app-01 deploy sampai 31 Smarch 2026", "akses", "until"),
        ("/pos cabut-akses app-01", "cabut-akses", "account"),
        ("/pos cabut-akses @budi", "cabut-akses", "server"),
        ("/pos lampir", "lampir", "document"),
        (f"/pos lampir [a.pdf](/uploads/{HASH}/a.pdf)", "lampir", "document"),
        (f"/pos lampir entah [a.pdf](/uploads/{HASH}/a.pdf)", "lampir", "document"),
        ("/pos lampir jadwal", "lampir", "upload"),
        ("/pos lampir jadwal [a.pdf](https://contoh.example/a.pdf)", "lampir", "upload"),
        (f"/pos lampir jadwal\n```\n[a.pdf](/uploads/{HASH}/a.pdf)\n```", "lampir", "upload"),
        ("/pos alihkan", "alihkan", "target"),
        ("/pos alihkan entah ke mana", "alihkan", "target"),
        ("/pos alihkan 6 data bocor", "alihkan", "target"),
        ("/pos alihkan 0", "alihkan", "target"),
        ("/pos alihkan Pelaporan", "alihkan", "target"),
        ("/pos alihkan Pengembangan Sistem: fitur baru", "alihkan", "target"),
        ("/pos alihkan backup cadangan rutin", "alihkan", "target"),
        ("/pos alihkan : cadangan rutin", "alihkan", "target"),
        ("/pos alihkan POS: cadangan rutin", "alihkan", "target"),
    ],
)
def test_arguments_that_cannot_be_read_are_named(body: str, word: str, problem: str):
    assert asked(body) == Malformed(word, problem, word)


@pytest.mark.parametrize(
    ("body", "reading"),
    [
        ("/pos tolak <alasan>", Outcome("tolak", "", ())),
        ("/pos revisi <alasan> bukti kurang", Outcome("revisi", "bukti kurang", ())),
        ("/pos revisi <bukti kurang>", Outcome("revisi", "<bukti kurang>", ())),
        ("/pos jeda \\<alasan>", Pause("")),  # as the rich text editor writes it
        ("/pos darurat <alasan>.", Emergency("")),
        ("/pos alihkan 4 <alasan>", HandOff("POS Pelaporan Insiden Siber", "")),
        ("/pos progres <persen>", Progress(None, ())),
        ("/pos akses @budi app-01 <hak> sampai 2026-12-31", Malformed("akses", "right", "akses")),
        ("/pos akses @budi <server> baca sampai 2026-12-31", Malformed("akses", "right", "akses")),
        ("/pos akses @orang app-01 baca sampai 2026-12-31", Malformed("akses", "account", "akses")),
    ],
)
def test_what_a_line_to_copy_leaves_open_is_not_what_goes_there(body: str, reading: Reading):
    assert asked(body) == reading


@pytest.mark.parametrize("word", sorted(load("pengaduan-masalah-teknis-si").authority))
def test_a_line_copied_as_it_is_says_nothing_of_its_places(word: str):
    found = repr(read(command_line(word), WORDS, DOCUMENTS, HANDOFFS))
    assert "<" not in found
    assert "'orang'" not in found


@pytest.mark.parametrize(
    ("before", "word"),
    [
        ("/pos revisi ", "revisi"),
        ("/pos jeda sebentar\n\n### Log\n", "jeda"),
        ("/pos alihkan 4 ", "alihkan"),
        ("/pos tugaskan @budi @", "tugaskan"),
        ("/pos cabut-akses @budi ", "cabut-akses"),
    ],
)
def test_what_is_too_long_to_be_said_on_the_issue_is_not_taken(before: str, word: str):
    assert asked(before + "x" * (LONGEST - 100)) != Malformed(word, "length", TOO_LONG)
    assert asked(before + "x" * LONGEST) == Malformed(word, "length", TOO_LONG)


def test_sections_may_be_longer_but_not_their_titles():
    text = "x" * (LONGEST_SECTIONS // 2)
    assert asked(f"/pos selesai\n### A\n{text}\n### B\n{text}") == Outcome("selesai", "", (("A", text), ("B", text)))
    for body in (f"/pos selesai\n### A\n{text}\n### B\n{text}x", f"/pos progres 60\n### A\n{text}{text}x", f"/pos selesai\n### {text}"):
        assert asked(body) == Malformed(body.split()[1], "length", TOO_LONG)


@pytest.mark.parametrize("number", range(1, 18))
def test_a_case_is_handed_to_each_related_procedure_by_number_and_by_name(number: int):
    names = load("pengaduan-masalah-teknis-si.2025-05").handoffs
    assert len(names) == 17
    name = names[number - 1]
    for said in (str(number), f"{number}.", name, name.upper(), name.lower().removeprefix("pos "), f"  {name.replace(' ', '   ')}:"):
        assert read(f"/pos alihkan {said} salah alamat", WORDS, DOCUMENTS, names) == HandOff(name, "salah alamat")


def test_uploads_are_linked_anew_under_their_own_names():
    body = f"""/pos lampir Formulir Uji Coba, sudah ditandatangani [@all](/uploads/{HASH}/form_1.pdf)
![layar](/uploads/{HASH}/layar.png){{width=40}}
### Catatan
lagi: [form](/uploads/{HASH}/form_1.pdf) dan [luar](/uploads/{HASH}/../x) [pendek](/uploads/abc/x.pdf)
"""
    assert asked(body) == Attach(
        "formulir-uji-coba", (f"[form\\_1.pdf](/uploads/{HASH}/form_1.pdf)", f"[layar.png](/uploads/{HASH}/layar.png)")
    )


def test_the_longest_document_that_fits_is_meant():
    for words, signer in (("oleh Kepala Pustikom", "kepala-pustikom"), ("oleh pimpinan-unit-kerja.", "pimpinan-unit-kerja"), ("oleh", "")):
        found = read(f"/pos lampir jadwal {words}\n\n[a](/uploads/{HASH}/a.pdf)", WORDS, DOCUMENTS)
        assert found == Attach("jadwal", (f"[a.pdf](/uploads/{HASH}/a.pdf)",), signer)
    found = read(f"/pos lampir uji coba [a](/uploads/{HASH}/a.pdf)", WORDS, frozenset({"uji", "uji-coba"}))
    assert found == Attach("uji-coba", (f"[a.pdf](/uploads/{HASH}/a.pdf)",))


@pytest.mark.parametrize(
    ("word", "nearest"),
    [("setju", "setuju"), ("tugas", "tugaskan"), ("progress", "progres"), ("cabut", "cabut-akses"), ("xyzzy", None), ("SETUJUI", "setuju")],
)
def test_an_unknown_word_gets_the_nearest_one(word: str, nearest: str | None):
    assert asked(f"/pos {word} sekarang") == Unknown(word.casefold(), nearest)


def test_an_unknown_word_is_told_back_short():
    assert asked("/pos " + "w" * 1000) == Unknown("w" * 40, None)


def test_a_procedure_without_a_duty_or_with_another_word_for_it():
    assert read("/pos lapor 40", WORDS, DOCUMENTS, duty_word="lapor") == Progress(40, ())
    assert read("/pos progres 40", WORDS, DOCUMENTS, duty_word=None) == Unknown("progres", None)


def test_invisible_characters_do_not_reach_reasons():
    assert asked("/pos tolak tidak\u202e jelas\x00\n\u200b") == Outcome("tolak", "tidak jelas", ())


@given(
    st.lists(
        st.one_of(
            st.text(max_size=6),
            st.sampled_from(
                ["/pos ", *WORDS, "akses", "alihkan", "tugaskan", "lampir", "progres", "@a ", "\n", " ", "### ", "```", "sampai ", "٣", "²"]
            ),
        ),
        max_size=12,
    ).map("".join)
)
def test_any_comment_can_be_read(body: str):
    assert isinstance(asked(body), Asked | Misplaced | NotACommand)
    assert isinstance(asked(f"/pos {body}"), Asked)


@pytest.mark.parametrize("piece", ["#", "# ", "[", "![a](", "@a ", "```\n", "\n", " ", "/pos ", "wort"])
def test_a_long_comment_takes_no_long_time(piece: str):
    asked("/pos lampir " + piece * 50_000)
    asked("/pos " + piece * 50_000)
