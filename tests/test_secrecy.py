"""Secrets in what people write are found and covered; talk about secrets is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.secrecy import MASK, cover, mask, secrets_in

KEY_BLOCK = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\nAAAA\n-----END OPENSSH PRIVATE KEY-----"

SECRETS = [  # text, the part that must be gone
    ("password: x", "x"),
    ("Password : rahasia", "rahasia"),
    ("sandi: merdeka45", "merdeka45"),
    ("kata sandi = bintang", "bintang"),
    ("Kata sandinya: bintang", "bintang"),
    ("passwordnya adalah Bintang7 ya", "Bintang7"),
    ("password server app-01: Bintang7 untuk sementara", "Bintang7"),
    ("**Password:** `bintang`", "bintang"),
    ("DB_PASSWORD=bintang", "bintang"),
    ("password: $uper5ecret", "5ecret"),
    ("export PGPASSWORD='bintang laut'", "bintang"),
    ('{"user": "app", "password": "bintang", "host": "db"}', "bintang"),
    ("user: app, pass: bintang, host: db", "bintang"),
    ("pwd: bint@ngku! pakai itu", "bint@ngku"),
    ("PIN: 123456", "123456"),
    ("login app, password: Bintang7.", "Bintang7"),
    (KEY_BLOCK, "b3BlbnNzaC1rZXktdjEA"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow", "MIIEow"),
    ("PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\nAAAA\nPrivate-MAC: 0a1b", "AAAA"),
    ("pakai glpat-AbCdEfGhIjKlMnOpQrSt", "glpat-AbCdEfGhIjKlMnOpQrSt"),
    ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
    ("ghp_" + "a1B2" * 9, "a1B2a1B2"),
    ("xoxb-123456789012-abcdef", "123456789012"),
    ("sk-" + "a1B2c3" * 8, "a1B2c3"),
    ("AIza" + "a1B2c3D" * 5, "a1B2c3D"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "eyJzdWIiOiIxIn0"),
    ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8G"),
    ("postgresql://app:bintang@db/siakad", "bintang"),
    ("Authorization: Bearer abcdefghij0123456789", "abcdefghij0123456789"),
    ("token: a1b2c3d4e5f6", "a1b2c3d4e5f6"),
    ("token API server pengujian adalah Zm9vYmFyYmF6cXV4MTIz", "Zm9vYmFyYmF6cXV4MTIz"),
    ("secret key 0123456789abcdef0123456789abcdef", "0123456789abcdef"),
    ("kunci akses untuk Budi Zm9vYmFyYmF6cXV4MTIz", "Zm9vYmFyYmF6cXV4MTIz"),
    ("password yang baru dari server Zm9vYmFyYmF6cXV4MTIz", "Zm9vYmFyYmF6cXV4MTIz"),
    ("password: token: a1b2c3d4e5f6", "a1b2c3d4e5f6"),
]

HARMLESS = [
    "",
    "Mahasiswa lupa password dan tidak bisa masuk.",
    "password: tidak bisa direset oleh pengguna",
    "Password: salah.",
    "Reset password mahasiswa: berhasil",
    "Kata sandi minimal 8 karakter: huruf besar dan angka",
    "password: ********",
    "password: <kata sandi>",
    "password: ${DB_PASSWORD}",
    "password: xxxx",
    f"password: {MASK}",
    "Atur ulang di password: https://siakad.example/reset",
    "Token kedaluwarsa setelah 30 menit",
    "Token: kedaluwarsa",
    "Kunci: ruang server lantai 2",
    "kunci jawaban ada di halaman /admin/pengaturan/halaman-utama-2026",
    "Nomor tiket token: SI-2026-000123",
    "Pin konektor RJ45: 8 buah",
    "PIN: B12",
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7 budi@laptop",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "global-configuration-setting-of-siakad",
    "sk-rektor-nomor-5-tahun-2025-tentang-organisasi",
    "Surat SK 100b/UN39.17/SOP/V/2025, NIP 196807081994031003",
    "https://siakad.example/nilai?halaman=2",
    "git commit 0123456789abcdef0123456789abcdef01234567",
    "The keyboard shows keynote pages",
]


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_a_secret_is_found_and_covered(text: str, secret: str):
    assert secrets_in(text)
    covered = mask(f"Sebelum\n{text}\nSesudah")
    assert secret not in covered.removeprefix("Sebelum").replace("export", "")
    assert MASK in covered
    assert covered.startswith("Sebelum\n")
    assert not secrets_in(covered)


@pytest.mark.parametrize("text", HARMLESS)
def test_talk_about_secrets_passes(text: str):
    assert not secrets_in(text)
    assert mask(text) == text


def test_only_the_secret_is_covered():
    assert (
        mask("user: app\npassword: Bintang7, server: db\nLangkah: coba masuk")
        == f"user: app\npassword: {MASK}, server: db\nLangkah: coba masuk"
    )
    assert mask(f"kunci:\n{KEY_BLOCK}\nselesai") == f"kunci:\n{MASK}\nselesai"


@given(
    st.lists(
        st.one_of(
            st.sampled_from([text for text, _ in SECRETS] + HARMLESS),
            st.sampled_from([" ", "\n", ": ", "=", "password", "token", '"', MASK]),
        ),
        max_size=8,
    ).map("".join)
)
def test_nothing_is_found_in_what_was_covered(text: str):
    covered = mask(text)
    assert not secrets_in(covered)
    assert (covered == text) == (not secrets_in(text))


@pytest.mark.parametrize(
    "piece",
    ["password:", "password ", "token ", "key a b c ", "://a:", "-----BEGIN PRIVATE KEY-----", "PuTTY-User-Key-File-3", "a1B2", "bearer "],
)
def test_a_long_text_takes_no_long_time(piece: str):
    mask(piece * 20_000)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("NIK saya 3174051203900007.", f"NIK saya 3174{MASK}."),
        ("NIK 3174 0552 0390 0007, a.n. Siti", f"NIK 3174{MASK}, a.n. Siti"),
        ("KK 3174.05.120390.0007", f"KK 3174{MASK}"),
        ("NIP 198501012010121001 tetap", "NIP 198501012010121001 tetap"),
        ("NIM 1301617042", "NIM 1301617042"),
        ("pesanan 3174059903900007", "pesanan 3174059903900007"),  # no day 99
        ("v3174051203900007", "v3174051203900007"),
        ("sandi: Rahasia123x, NIK 3174051203900007", f"sandi: {MASK}, NIK 3174{MASK}"),
    ],
)
def test_a_citizens_number_does_not_leave_us(written, shown):
    assert cover(written) == shown
    assert cover(shown) == shown
