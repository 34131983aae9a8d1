"""Menerima kabar dari layanan dan mencatatnya di kabar.jsonl, satu baris satu kabar. Hanya pustaka baku Python, versi 3.9 atau lebih baru.

python3 terima.py 9000 [kabar.jsonl]      mendengarkan di 127.0.0.1:9000; layanan memanggil alamat mana pun di situ

Lingkungan: LAYANAN_RAHASIA, whsec_..., beberapa dipisah koma; semuanya berlaku, sehingga rahasia dapat diganti tanpa terputus.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

RAHASIA = [base64.b64decode(teks.strip()[len("whsec_") :]) for teks in os.environ["LAYANAN_RAHASIA"].split(",")]
SELISIH = 300  # detik, sebelum dan sesudah jam kita
TERBESAR = 1024 * 1024  # bita


def sah(id_pesan, waktu, tanda, isi):
    """Apakah salah satu rahasia menandatangani isi ini, dan baru saja."""
    if not (waktu.isascii() and waktu.isdecimal()) or len(waktu) > 12 or abs(time.time() - int(waktu)) > SELISIH:
        return False
    ditandai = f"{id_pesan}.{waktu}.".encode() + isi
    benar = [b"v1," + base64.b64encode(hmac.new(kunci, ditandai, hashlib.sha256).digest()) for kunci in RAHASIA]
    return any(hmac.compare_digest(satu.encode(), lain) for satu in tanda.split() for lain in benar)


class Buku:
    """Kabar yang sudah dicatat. Di portal sesungguhnya: tabel dengan kunci unik pada id, dalam transaksi yang sama dengan akibatnya."""

    def __init__(self, berkas):
        self.berkas = Path(berkas)
        self.dikenal = set()
        self.terakhir = {}  # waktu kabar terbaru setiap tiket
        self.giliran = threading.Lock()
        for baris in self.berkas.read_text(encoding="utf-8").splitlines() if self.berkas.exists() else ():
            try:
                self._ingat(json.loads(baris))
            except ValueError:
                pass  # baris yang terpotong karena mesin mati: kabarnya belum dijawab, jadi akan datang lagi

    def catat(self, id_pesan, pesan):
        """Mencatat kabar yang belum dikenal; ada di cakram sebelum dijawab."""
        with self.giliran:
            if id_pesan in self.dikenal:
                return
            tiket = pesan["data"]["tiket"]
            urut = pesan["timestamp"] >= self.terakhir.get(tiket, "")
            catatan = {"id": id_pesan, "urut": urut, "pesan": pesan}
            with self.berkas.open("a", encoding="utf-8") as buku:
                buku.write("\n" + json.dumps(catatan, ensure_ascii=False))
                buku.flush()
                os.fsync(buku.fileno())
            self._ingat(catatan)

    def _ingat(self, catatan):
        self.dikenal.add(catatan["id"])
        if catatan["urut"]:
            self.terakhir[catatan["pesan"]["data"]["tiket"]] = catatan["pesan"]["timestamp"]


class Penerima(BaseHTTPRequestHandler):
    """2xx hanya untuk kabar yang sudah tercatat. Jawaban 4xx selain 429 menghentikan kabar tiket itu sampai operator mengulangnya."""

    def do_POST(self):
        panjang = int(self.headers.get("content-length") or 0)
        if panjang > TERBESAR:
            return self.jawab(413)
        isi = self.rfile.read(panjang)
        id_pesan, waktu, tanda = (self.headers.get(f"webhook-{nama}", "") for nama in ("id", "timestamp", "signature"))
        if not (id_pesan and waktu and tanda):
            return self.jawab(400)
        if not sah(id_pesan, waktu, tanda, isi):
            return self.jawab(401)
        try:
            self.server.buku.catat(id_pesan, json.loads(isi))
        except OSError:
            return self.jawab(503)  # cakram penuh: layanan mengirimnya lagi nanti
        return self.jawab(204)

    def jawab(self, kode):
        self.send_response(kode)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Penerima) as peladen:
        peladen.buku = Buku(sys.argv[2] if len(sys.argv) > 2 else "kabar.jsonl")
        peladen.serve_forever()
