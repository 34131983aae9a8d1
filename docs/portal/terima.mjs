// Menerima kabar dari layanan dan mencatatnya di kabar.jsonl, satu baris satu kabar. Node 18 atau lebih baru, tanpa paket.
//
// node terima.mjs 9000 [kabar.jsonl]      mendengarkan di 127.0.0.1:9000; layanan memanggil alamat mana pun di situ
//
// Lingkungan: LAYANAN_RAHASIA, whsec_..., beberapa dipisah koma; semuanya berlaku, sehingga rahasia dapat diganti tanpa terputus.

import { createHmac, timingSafeEqual } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { createServer } from "node:http";

const [port, berkas = "kabar.jsonl"] = process.argv.slice(2);
const RAHASIA = process.env.LAYANAN_RAHASIA.split(",").map((teks) => Buffer.from(teks.trim().slice("whsec_".length), "base64"));
const SELISIH = 300; // detik, sebelum dan sesudah jam kita
const TERBESAR = 1024 * 1024; // bita

// Apakah salah satu rahasia menandatangani isi ini, dan baru saja.
function sah(id, waktu, tanda, isi) {
  if (!/^[0-9]{1,12}$/.test(waktu) || Math.abs(Date.now() / 1000 - Number(waktu)) > SELISIH) return false;
  const benar = RAHASIA.map((kunci) => Buffer.from("v1," + createHmac("sha256", kunci).update(`${id}.${waktu}.`).update(isi).digest("base64")));
  const diberi = tanda.split(/\s+/).map((satu) => Buffer.from(satu));
  return diberi.some((satu) => benar.some((lain) => satu.length === lain.length && timingSafeEqual(satu, lain)));
}

// Kabar yang sudah dicatat. Di portal sesungguhnya: tabel dengan kunci unik pada id, dalam transaksi yang sama dengan akibatnya.
const dikenal = new Set();
const terakhir = new Map(); // waktu kabar terbaru setiap tiket

function ingat({ id, urut, pesan }) {
  dikenal.add(id);
  if (urut) terakhir.set(pesan.data.tiket, pesan.timestamp);
}

for (const baris of existsSync(berkas) ? readFileSync(berkas, "utf8").split("\n") : []) {
  try {
    ingat(JSON.parse(baris));
  } catch {
    // baris yang terpotong karena mesin mati: kabarnya belum dijawab, jadi akan datang lagi
  }
}

// Mencatat kabar yang belum dikenal; ada di cakram sebelum dijawab. Tanpa await di dalamnya, dua kabar tidak pernah berselang-seling.
function catat(id, pesan) {
  if (dikenal.has(id)) return;
  const catatan = { id, urut: pesan.timestamp >= (terakhir.get(pesan.data.tiket) ?? ""), pesan };
  const buku = openSync(berkas, "a");
  try {
    writeSync(buku, "\n" + JSON.stringify(catatan));
    fsyncSync(buku);
  } finally {
    closeSync(buku);
  }
  ingat(catatan);
}

// 2xx hanya untuk kabar yang sudah tercatat. Jawaban 4xx selain 429 menghentikan kabar tiket itu sampai operator mengulangnya.
function terima(tajuk, isi) {
  const [id, waktu, tanda] = ["id", "timestamp", "signature"].map((nama) => tajuk[`webhook-${nama}`] ?? "");
  if (!(id && waktu && tanda)) return 400;
  if (!sah(id, waktu, tanda, isi)) return 401;
  try {
    catat(id, JSON.parse(isi.toString("utf8")));
  } catch {
    return 503; // cakram penuh: layanan mengirimnya lagi nanti
  }
  return 204;
}

createServer(async (permintaan, jawaban) => {
  if (permintaan.method !== "POST") return jawaban.writeHead(405, { allow: "POST" }).end();
  const potongan = [];
  let besar = 0;
  for await (const satu of permintaan) {
    besar += satu.length;
    if (besar > TERBESAR) return jawaban.writeHead(413, { connection: "close" }).end();
    potongan.push(satu);
  }
  jawaban.writeHead(terima(permintaan.headers, Buffer.concat(potongan))).end();
}).listen(Number(port), "127.0.0.1");
