"""The portal's messages: what is accepted, and how every fault is told at once, in Indonesian, where it is."""

import base64
import copy
import hashlib
import json
import re
from datetime import datetime
from typing import Any, get_args

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core.core_schema import ErrorType

from integration import forms
from integration.forms import Faults, Form, HandoverAnswered, NotJson, Revised, Submitted, TrialJudged, Withdrawn
from integration.templates import messages

CONTENT = b"\x89PNG galat"
SENTENCES = messages("form")


def attachment(**changed: Any) -> dict[str, Any]:
    told = {
        "nama": "galat.png",
        "jenis": "image/png",
        "ukuran": len(CONTENT),
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "isi": base64.b64encode(CONTENT).decode(),
        "url": None,
    }
    return told | changed


FORM: dict[str, Any] = {
    "kode": "FRM-SI-005",
    "unit_kerja": {
        "kode": "FT",
        "nama": "Fakultas Teknik",
        "pimpinan": {"nama": "Prof. Sari", "nip": "196807081994031003", "jabatan": "Dekan", "email": "dekan.ft@unj.ac.id"},
    },
    "pelapor": {"nama": "Budi Santoso", "email": "budi@unj.ac.id", "telepon": "+62 812-3456-7890"},
    "sistem": {"nama": "SIAKAD", "url": "https://siakad.unj.ac.id/masuk?x=1"},
    "masalah": {
        "judul": "Nilai tidak tersimpan",
        "kategori": "galat",
        "uraian": "Saat disimpan muncul galat 500.\nSudah dicoba dua kali.",
        "langkah_reproduksi": "1. masuk\n2. simpan",
        "sejak": "2026-06-01T08:00:00+07:00",
        "urgensi": "tinggi",
        "dampak": "fakultas",
    },
    "lampiran": [attachment(), attachment(isi=None, url="https://portal.unj.ac.id/berkas/1")],
    "pengisian": {"mulai": "2026-06-02T09:00:00+07:00", "selesai": "2026-06-02T02:12:30.5Z"},
    "pdp": {"versi": "2026-01", "dasar": "tugas-layanan-publik", "disetujui": True},
}
TICKET = "SI-2026-000123"


def message(kind: str = "pengaduan.diajukan", **data: Any) -> dict[str, Any]:
    return {"type": kind, "timestamp": "2026-06-02T09:13:00+07:00", "data": data or {"formulir": copy.deepcopy(FORM)}}


MESSAGES = {
    Submitted: message(),
    Revised: message("pengaduan.direvisi", tiket=TICKET, formulir=FORM),
    Withdrawn: message("pengaduan.dibatalkan", tiket=TICKET, alasan="Sudah teratasi.", oleh="Budi Santoso"),
    TrialJudged: message("uji_coba.dinilai", tiket=TICKET, hasil="lulus", catatan="Berfungsi.", oleh="Budi Santoso"),
    HandoverAnswered: message("serah_terima.ditanggapi", tiket=TICKET, hasil="terima", catatan="", oleh="Prof. Sari"),
}


def read(content: object) -> object:
    return forms.read(json.dumps(content).encode(), ("FRM-SI-005",))


def faults(content: object) -> dict[str, str]:
    found = read(content)
    assert isinstance(found, Faults), found
    return {fault.path: fault.pesan for fault in found.faults}


def changed(path: str, value: object) -> dict[str, Any]:
    """The first message with the form's value at `path` replaced, or taken away for `...`."""
    content = message()
    *way, last = path.split(".")
    part: Any = content["data"]["formulir"]
    for step in way:
        part = part[int(step) if step.isdecimal() else step]
    if value is ...:
        del part[last]
    else:
        part[int(last) if last.isdecimal() else last] = value
    return content


def form(path: str = "kode", value: object = "FRM-SI-005") -> Form:
    found = read(changed(path, value))
    assert isinstance(found, Submitted), found
    return found.data.formulir


@pytest.mark.parametrize("kind", list(MESSAGES))
def test_each_type_is_read(kind: type):
    assert isinstance(read(MESSAGES[kind]), kind)


def test_the_form_is_kept_as_it_was_sent():
    read_form = form()
    assert read_form.masalah.sejak == "2026-06-01T08:00:00+07:00"
    assert read_form.pengisian
    assert forms.moment(read_form.pengisian.selesai) == datetime.fromisoformat("2026-06-02T02:12:30.5+00:00")
    assert [each.content() for each in read_form.lampiran] == [CONTENT, None]
    assert "iVBOR" not in repr(read_form)
    with pytest.raises(ValidationError):
        read_form.kode = "lain"


@pytest.mark.parametrize(
    "path", ["unit_kerja.pimpinan.nip", "pelapor.telepon", "sistem.url", "masalah.langkah_reproduksi", "lampiran", "pengisian"]
)
def test_what_is_optional_may_be_absent_or_null(path: str):
    assert form(path, ...) == form(path, None)


@pytest.mark.parametrize(
    ("path", "sent", "kept"),
    [
        ("masalah.judul", "  Nilai\r\n tidak\u202e tersimpan\x00 ", "Nilai tidak tersimpan"),
        ("masalah.uraian", "\r\nsatu\r\n\r\n  dua\ud800\u200b \n", "satu\n\n  dua\ufffd"),
        ("pelapor.email", " budi@unj.ac.id\n", "budi@unj.ac.id"),
        ("masalah.sejak", "2026-06-01t08:00:00z", "2026-06-01t08:00:00z"),
        ("masalah.judul", "/close @all <script>", "/close @all <script>"),
        ("lampiran.0.jenis", "text/plain; charset=utf-8", "text/plain; charset=utf-8"),
        ("lampiran.0.sha256", hashlib.sha256(CONTENT).hexdigest().upper(), hashlib.sha256(CONTENT).hexdigest()),
        ("lampiran.0.ukuran", len(CONTENT), len(CONTENT)),
        ("lampiran.0.ukuran", float(len(CONTENT)), len(CONTENT)),  # JSON knows one kind of number
        ("pelapor.telepon", "(021) 4706 285", "(021) 4706 285"),
        ("sistem.url", "http://10.0.0.5:8080/", "http://10.0.0.5:8080/"),
    ],
)
def test_text_is_kept_as_a_person_sees_it(path: str, sent: object, kept: object):
    value: Any = form(path, sent).model_dump()
    for step in path.split("."):
        value = value[int(step) if step.isdecimal() else step]
    assert value == kept


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("kode", "FRM-SI-006", "literal_error"),
        ("kode", ..., "missing"),
        ("unit_kerja", "Fakultas Teknik", "model_type"),
        ("unit_kerja.kode", "x" * 41, "string_too_long"),
        ("unit_kerja.nama", "", "string_too_short"),
        ("unit_kerja.nama", " \u200b\n", "string_too_short"),
        ("unit_kerja.nama", 7, "string_type"),
        ("unit_kerja.nama", None, "string_type"),
        ("unit_kerja.warna", "biru", "extra_forbidden"),
        ("unit_kerja.pimpinan.nip", "1968070819940310", "nip"),
        ("unit_kerja.pimpinan.nip", "19680708 199403 1 003", "nip"),
        ("unit_kerja.pimpinan.nip", 196807081994031003, "string_type"),
        ("pelapor.email", "budi", "email"),
        ("pelapor.email", "budi@unj", "email"),
        ("pelapor.email", "budi..s@unj.ac.id", "email"),
        ("pelapor.email", "budi@unj.ac.id, ani@unj.ac.id", "email"),
        ("pelapor.email", "a" * 250 + "@unj.ac.id", "string_too_long"),
        ("pelapor.telepon", "nanti", "phone"),
        ("pelapor.telepon", "----------", "phone"),
        ("sistem.url", "siakad.unj.ac.id", "address"),
        ("sistem.url", "javascript:alert(1)", "address"),
        ("sistem.url", "https://user:rahasia@siakad.unj.ac.id", "address"),
        ("sistem.url", "https://[::1", "address"),
        ("sistem.url", "https://siakad.unj.ac.id:99999", "address"),
        ("sistem.url", "https:///masuk", "address"),
        ("sistem.url", "https://siakad unj.ac.id", "address"),
        ("masalah.kategori", "lain", "literal_error"),
        ("masalah.urgensi", "TINGGI", "literal_error"),
        ("masalah.dampak", ["unit"], "literal_error"),
        ("masalah.uraian", "x" * 20_001, "string_too_long"),
        ("masalah.sejak", "2026-06-01", "timestamp"),
        ("masalah.sejak", "2026-06-01T08:00:00", "timestamp"),
        ("masalah.sejak", "2026-02-30T08:00:00Z", "timestamp"),
        ("masalah.sejak", "2026-06-01 08:00:00+07:00", "timestamp"),
        ("masalah.sejak", "0001-01-01T00:00:00+07:00", "timestamp"),
        ("masalah.sejak", "2026-06-01T08:00:00+99:00", "timestamp"),
        ("masalah.sejak", 1780000000, "string_type"),
        ("lampiran", "galat.png", "tuple_type"),
        ("lampiran", {}, "tuple_type"),
        ("lampiran", [attachment()] * 21, "too_long"),
        ("lampiran.0", None, "model_type"),
        ("lampiran.0.nama", "../../etc/passwd", "file_name"),
        ("lampiran.0.nama", "C:\\x.png", "file_name"),
        ("lampiran.0.nama", "..", "file_name"),
        ("lampiran.0.jenis", "gambar", "media_type"),
        ("lampiran.0.ukuran", -1, "greater_than_equal"),
        ("lampiran.0.ukuran", forms.MAX_FILE + 1, "less_than_equal"),
        ("lampiran.0.ukuran", "11", "int_type"),
        ("lampiran.0.ukuran", 11.5, "int_type"),
        ("lampiran.0.ukuran", True, "int_type"),
        ("lampiran.0.sha256", "abc", "sha256"),
        ("lampiran.0.isi", "bukan base64", "base64"),
        ("lampiran.0.isi", "é", "base64"),
        ("lampiran.0.isi", base64.b64encode(b"\x89PNG lain!").decode(), "hash_differs"),
        ("lampiran.0.isi", base64.b64encode(b"pendek").decode(), "size_differs"),
        ("lampiran.1.url", None, "no_content"),
        ("lampiran.1.url", ..., "no_content"),
        ("lampiran.1.url", "ftp://portal.unj.ac.id/1", "address"),
        ("pengisian.selesai", "2026-06-02T08:59:59+07:00", "order"),
        ("pdp.disetujui", False, "consent"),
        ("pdp.disetujui", 1, "bool_type"),
        ("pdp.disetujui", "true", "bool_type"),
    ],
)
def test_one_fault_is_told_where_it_is(path: str, value: object, told: str):
    found = faults(changed(path, value))
    assert list(found) == [f"formulir.{path}"]
    pattern = re.sub(r"\\\{\w+\\\}", ".+", re.escape(SENTENCES[told]))
    assert re.fullmatch(pattern, found[f"formulir.{path}"])


def test_sentences_name_what_they_speak_of():
    assert faults(changed("masalah.urgensi", "x")) == {
        "formulir.masalah.urgensi": "Pilihan ini tidak tersedia; pilihannya: rendah, sedang, tinggi, kritis."
    }
    assert faults(changed("masalah.warna", "x")) == {"formulir.masalah.warna": 'Isian "warna" tidak dikenal.'}
    assert faults(changed("unit_kerja.kode", "x" * 41)) == {"formulir.unit_kerja.kode": "Isian ini paling panjang 40 karakter."}
    assert faults(message("pengaduan.dihapus")) == {
        "type": "Jenis pesan tidak dikenal; pilihannya: "
        "pengaduan.diajukan, pengaduan.direvisi, pengaduan.dibatalkan, uji_coba.dinilai, serah_terima.ditanggapi."
    }


def test_every_fault_is_told_at_once():
    content = changed("pelapor.email", "budi")
    content["data"]["formulir"]["masalah"] |= {"urgensi": "x", "uraian": ""}
    content["data"]["formulir"]["lampiran"][0] |= {"sha256": "abc", "ukuran": 3}
    del content["data"]["formulir"]["pdp"]
    content["data"]["tiket"] = TICKET
    content["versi"] = 2
    content["timestamp"] = "kemarin"
    assert set(faults(content)) == {
        "timestamp",
        "versi",
        "tiket",
        "formulir.pelapor.email",
        "formulir.masalah.urgensi",
        "formulir.masalah.uraian",
        "formulir.lampiran.0.sha256",
        "formulir.lampiran.0.isi",
        "formulir.pdp",
    }


def test_faults_as_the_portal_gets_them():
    found = read(changed("pelapor.email", "budi"))
    assert isinstance(found, Faults)
    assert found.answer() == {
        "kesalahan": [{"path": "formulir.pelapor.email", "pesan": "Alamat surel tidak sah; contoh yang benar nama@unj.ac.id."}]
    }


@pytest.mark.parametrize(
    ("content", "paths"),
    [
        ({}, {"type"}),
        ({"type": 5}, {"type"}),
        ({"type": ["pengaduan.diajukan"], "data": {}}, {"type"}),
        ({"type": "pengaduan.diajukan"}, {"timestamp", "data"}),
        (message() | {"data": None}, {"data"}),
        (message() | {"data": []}, {"data"}),
        (message("pengaduan.direvisi", tiket="SI-26-1", formulir=FORM), {"tiket"}),
        (message("pengaduan.direvisi", tiket=TICKET), {"formulir"}),
        (message("pengaduan.dibatalkan", tiket=TICKET), {"alasan", "oleh"}),
        (message("uji_coba.dinilai", tiket=TICKET, hasil="terima", catatan="x", oleh="y"), {"hasil"}),
        (message("uji_coba.dinilai", tiket=TICKET, hasil="gagal", catatan=" ", oleh="y"), {"catatan"}),
        (message("uji_coba.dinilai", tiket=TICKET, hasil="lulus", oleh="y"), {"catatan"}),
        (message("serah_terima.ditanggapi", tiket=TICKET, hasil="tolak-fungsi", catatan="", oleh="y"), {"catatan"}),
        (message("serah_terima.ditanggapi", tiket=TICKET, hasil="tolak-dokumen", oleh="y"), {"catatan"}),
        (message("serah_terima.ditanggapi", tiket=TICKET, hasil="x", catatan=5, oleh="y"), {"hasil", "catatan"}),
    ],
)
def test_paths_outside_the_form(content: object, paths: set[str]):
    assert set(faults(content)) == paths


@pytest.mark.parametrize("note", [{}, {"catatan": None}, {"catatan": "Terima kasih."}])
def test_accepting_needs_no_note(note: dict[str, Any]):
    assert isinstance(read(message("serah_terima.ditanggapi", tiket=TICKET, hasil="terima", oleh="Prof. Sari", **note)), HandoverAnswered)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"bukan json",
        b"[]",
        b"null",
        b'"teks"',
        b"\xff\xfe{}",
        b"\xef\xbb\xbf{}",
        b'{"a": 1',
        b"{} {}",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b"{'a': 1}",
        json.dumps({"a": 1}).encode("utf-16"),
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b'{"a": ' + b"9" * 5_000 + b"}",
    ],
)
def test_what_is_no_json_object(body: bytes):
    assert forms.read(body) == NotJson()


def test_a_name_given_twice_is_told_where_it_is():
    body = json.dumps(message()).replace('"email": "budi@unj.ac.id"', '"email": "a@unj.ac.id", "email": "budi@unj.ac.id"')
    body = body.replace('"type": "pengaduan', '"type": 1, "type": "pengaduan').replace('"url": null}', '"url": null, "url": null}')
    found = forms.read(body.encode())
    assert isinstance(found, Faults)
    assert {fault.path: fault.pesan for fault in found.faults} == {
        "type": 'Isian "type" tertulis lebih dari satu kali.',
        "formulir.pelapor.email": 'Isian "email" tertulis lebih dari satu kali.',
        "formulir.lampiran.0.url": 'Isian "url" tertulis lebih dari satu kali.',
    }


def test_names_told_back_are_short_and_visible():
    [(path, told)] = faults(changed("masalah." + "k\u202e" * 200, 1)).items()
    assert path == "formulir.masalah." + "k" * forms.LONGEST_KEY
    assert told == f'Isian "{"k" * forms.LONGEST_KEY}" tidak dikenal.'
    assert '{key}"' in faults(changed("masalah.{key}", 1))["formulir.masalah.{key}"]
    json.dumps(faults(changed("masalah.\ud800", 1)), ensure_ascii=False).encode()


@pytest.mark.parametrize("kind", get_args(ErrorType))
def test_no_kind_of_fault_is_told_in_english(kind: str):
    told = forms._fault(("data", "x"), kind, {"max_length": 1, "ge": 0, "le": 9, "expected": "'a' or 'b'"})  # noqa: SLF001 - every kind, also those no message can have
    assert told.pesan in {
        SENTENCES[name].format(key="x", max_length=1, ge=0, le=9, choices="a, b") for name in (kind, "other") if name in SENTENCES
    }


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)


def places(value: object, way: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*([way] if way else []), *(place for name, part in inner for place in places(part, (*way, name)))]


@given(st.sampled_from(list(MESSAGES.values())), st.lists(st.tuples(st.integers(0, 500), JSON), max_size=4), JSON)
def test_whatever_is_sent_is_a_message_or_faults_in_indonesian(content: dict[str, Any], changes: list[tuple[int, object]], extra: object):
    content = copy.deepcopy(content)
    for number, value in changes:
        ways = places(content)
        *way, last = ways[number % len(ways)]
        part: Any = content
        for step in way:
            part = part[step]
        part[last] = value
    if isinstance(extra, dict):
        content |= extra
    found = read(content)
    if not isinstance(found, Faults):
        assert isinstance(found, tuple(MESSAGES))
        return
    patterns = [re.sub(r"\\\{\w+\\\}", "(?s:.*)", re.escape(sentence)) for name, sentence in SENTENCES.items() if name != "other"]
    for fault in found.faults:
        assert any(re.fullmatch(pattern, fault.pesan) for pattern in patterns), fault


@given(st.binary(max_size=60))
def test_any_bytes_can_be_read(body: bytes):
    assert isinstance(forms.read(body), NotJson | Faults)


def test_the_schema_describes_the_messages():
    schema = forms.schema()
    for content in MESSAGES.values():
        jsonschema.validate(content, schema)
    for path, value in (("kode", ""), ("masalah.warna", 1), ("pdp.disetujui", False), ("pelapor.nama", "")):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(changed(path, value), schema)
    assert "#/components/schemas/Form" in json.dumps(forms.schema("#/components/schemas/{model}"))


def test_a_large_message_is_read_in_no_long_time():
    content = b"x" * (20 * 1024 * 1024)
    large = attachment(ukuran=len(content), sha256=hashlib.sha256(content).hexdigest(), isi=base64.b64encode(content).decode())
    assert form("lampiran", [large]).lampiran[0].content() == content
    assert len(faults({"type": "pengaduan.diajukan"} | {str(number): number for number in range(20_000)})) == 20_002
