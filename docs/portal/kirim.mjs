// Mengirim pesan ke layanan dan membaca keadaan pengaduan. Node 18 atau lebih baru, tanpa paket.
//
// node kirim.mjs kirim pengaduan.json     mengirim satu pesan; aman diulang
// node kirim.mjs status SI-2026-000123    keadaan satu pengaduan
// node kirim.mjs daftar [KURSOR]          semua pengaduan, atau yang berubah sejak kursor itu
//
// Lingkungan: LAYANAN_URL, alamat layanan; LAYANAN_RAHASIA, whsec_..., yang pertama dipakai bila ada beberapa, dipisah koma.

import { createHmac, randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as tunggu } from "node:timers/promises";

const ALAMAT = process.env.LAYANAN_URL.replace(/\/+$/, "");
const KUNCI = Buffer.from(process.env.LAYANAN_RAHASIA.split(",")[0].trim().slice("whsec_".length), "base64");
const PERCOBAAN = 8;
const JEDA_TERPANJANG = 60; // detik

// Tajuk yang menandatangani isi ini, sekarang.
function tajuk(id, isi) {
  const waktu = String(Math.floor(Date.now() / 1000));
  const tanda = createHmac("sha256", KUNCI).update(`${id}.${waktu}.`).update(isi).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": waktu, "webhook-signature": `v1,${tanda}` };
}

// Satu permintaan. Kode 0: tidak terjawab.
async function minta(jalur, id, isi) {
  const kiriman = isi === undefined ? {} : { method: "POST", body: isi };
  const jenis = isi === undefined ? {} : { "content-type": "application/json" };
  try {
    const jawaban = await fetch(ALAMAT + jalur, {
      ...kiriman,
      headers: { ...jenis, ...tajuk(id, isi ?? Buffer.alloc(0)) },
      signal: AbortSignal.timeout(30_000),
    });
    return { kode: jawaban.status, jeda: jawaban.headers.get("retry-after"), teks: await jawaban.text() };
  } catch (galat) {
    return { kode: 0, jeda: null, teks: String(galat.cause ?? galat) };
  }
}

// Mengulang dengan jeda yang memanjang selama layanan tidak menjawab, kewalahan, atau terganggu. Tanda tangannya dibuat baru.
async function mintaSampaiTerjawab(jalur, id, isi) {
  for (let ke = 0; ; ke++) {
    const jawaban = await minta(jalur, id, isi);
    const pasti = jawaban.kode !== 0 && jawaban.kode !== 429 && jawaban.kode < 500;
    if (pasti || ke + 1 === PERCOBAAN) return jawaban;
    await tunggu(1000 * Math.min(Number(jawaban.jeda) || 2 ** ke, JEDA_TERPANJANG));
  }
}

const perintah = {
  // Id pesan disimpan sebelum dikirim: bila program ini terhenti, pengulangannya bukan pengaduan kedua.
  async kirim(berkas) {
    const catatan = `${berkas}.id`;
    if (!existsSync(catatan)) writeFileSync(catatan, `msg_${randomUUID()}`);
    const { kode, teks } = await mintaSampaiTerjawab("/webhooks/layanan", readFileSync(catatan, "ascii"), readFileSync(berkas));
    console.log(teks.trimEnd());
    return kode === 202;
  },

  async status(tiket) {
    const { kode, teks } = await mintaSampaiTerjawab(`/layanan/pengaduan/${encodeURIComponent(tiket)}`, `msg_${randomUUID()}`);
    console.log(teks.trimEnd());
    return kode === 200;
  },

  // Semua pengaduan, satu baris satu; kursor terakhir di baris terakhir: simpanlah untuk kali berikutnya.
  async daftar(kursor = "") {
    for (let masihAda = true; masihAda; ) {
      const jalur = `/layanan/pengaduan?kursor=${encodeURIComponent(kursor)}`;
      const { kode, teks } = await mintaSampaiTerjawab(jalur, `msg_${randomUUID()}`);
      if (kode !== 200) {
        console.log(teks.trimEnd());
        return false;
      }
      const halaman = JSON.parse(teks);
      for (const pengaduan of halaman.pengaduan) console.log(JSON.stringify(pengaduan));
      kursor = halaman.kursor;
      masihAda = halaman.masih_ada;
    }
    console.log(kursor);
    return true;
  },
};

const [nama, ...sisa] = process.argv.slice(2);
if (!Object.hasOwn(perintah, nama ?? "")) {
  console.error("node kirim.mjs kirim BERKAS | status TIKET | daftar [KURSOR]");
  process.exit(1);
}
process.exitCode = (await perintah[nama](...sisa)) ? 0 : 1;
