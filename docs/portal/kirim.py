"""Mengirim pesan ke layanan dan membaca keadaan pengaduan. Hanya pustaka baku Python, versi 3.9 atau lebih baru.

python3 kirim.py kirim pengaduan.json     mengirim satu pesan; aman diulang
python3 kirim.py status SI-2026-000123    keadaan satu pengaduan
python3 kirim.py daftar [KURSOR]          semua pengaduan, atau yang berubah sejak kursor itu

Lingkungan: LAYANAN_URL, alamat layanan; LAYANAN_RAHASIA, whsec_..., yang pertama dipakai bila ada beberapa, dipisah koma.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from pathlib import Path

ALAMAT = os.environ["LAYANAN_URL"].rstrip("/")
KUNCI = base64.b64decode(os.environ["LAYANAN_RAHASIA"].split(",")[0].strip()[len("whsec_") :])
PERCOBAAN = 8
JEDA_TERPANJANG = 60  # detik


def tajuk(id_pesan, isi):
    """Tajuk yang menandatangani isi ini, sekarang."""
    waktu = str(int(time.time()))
    tanda = hmac.new(KUNCI, f"{id_pesan}.{waktu}.".encode() + isi, hashlib.sha256).digest()
    return {"webhook-id": id_pesan, "webhook-timestamp": waktu, "webhook-signature": "v1," + base64.b64encode(tanda).decode()}


def minta(jalur, id_pesan, isi=None):
    """Satu permintaan; memberi kode, tajuk, dan isi jawabannya. Kode 0: tidak terjawab."""
    permintaan = urllib.request.Request(ALAMAT + jalur, data=isi, headers=tajuk(id_pesan, isi or b""))
    if isi is not None:
        permintaan.add_header("content-type", "application/json")
    try:
        with urllib.request.urlopen(permintaan, timeout=30) as jawaban:
            return jawaban.status, jawaban.headers, jawaban.read()
    except urllib.error.HTTPError as ditolak:
        return ditolak.code, ditolak.headers, ditolak.read()
    except OSError as galat:
        return 0, {}, str(galat).encode()


def minta_sampai_terjawab(jalur, id_pesan, isi=None):
    """Mengulang dengan jeda yang memanjang selama layanan tidak menjawab, kewalahan, atau terganggu. Tanda tangannya dibuat baru."""
    for ke in range(PERCOBAAN):
        kode, kepala, jawaban = minta(jalur, id_pesan, isi)
        if kode not in (0, 429) and kode < 500:
            break
        if ke + 1 < PERCOBAAN:
            diminta = kepala.get("Retry-After", "")
            time.sleep(min(int(diminta) if diminta.isdecimal() else 2**ke, JEDA_TERPANJANG))
    return kode, jawaban.decode()


def kirim(berkas):
    """Id pesan disimpan sebelum dikirim: bila program ini terhenti, pengulangannya bukan pengaduan kedua."""
    catatan = Path(f"{berkas}.id")
    if not catatan.exists():
        catatan.write_text(f"msg_{uuid.uuid4().hex}", encoding="ascii")
    kode, jawaban = minta_sampai_terjawab("/webhooks/layanan", catatan.read_text(encoding="ascii"), Path(berkas).read_bytes())
    print(jawaban)
    return kode == 202


def status(tiket):
    """Keadaan satu pengaduan."""
    kode, jawaban = minta_sampai_terjawab(f"/layanan/pengaduan/{urllib.parse.quote(tiket)}", f"msg_{uuid.uuid4().hex}")
    print(jawaban)
    return kode == 200


def daftar(kursor=""):
    """Semua pengaduan, satu baris satu; kursor terakhir di baris terakhir: simpanlah untuk kali berikutnya."""
    masih_ada = True
    while masih_ada:
        kode, jawaban = minta_sampai_terjawab(f"/layanan/pengaduan?kursor={urllib.parse.quote(kursor)}", f"msg_{uuid.uuid4().hex}")
        if kode != 200:
            print(jawaban)
            return False
        halaman = json.loads(jawaban)
        for pengaduan in halaman["pengaduan"]:
            print(json.dumps(pengaduan, ensure_ascii=False))
        kursor, masih_ada = halaman["kursor"], halaman["masih_ada"]
    print(kursor)
    return True


if __name__ == "__main__":
    perintah = {"kirim": kirim, "status": status, "daftar": daftar}
    if len(sys.argv) < 2 or sys.argv[1] not in perintah:
        sys.exit(__doc__)
    sys.exit(0 if perintah[sys.argv[1]](*sys.argv[2:]) else 1)
