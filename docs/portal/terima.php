<?php
// Menerima kabar dari layanan dan mencatatnya di kabar.jsonl, satu baris satu kabar. PHP 8.1 atau lebih baru, tanpa ekstensi tambahan.
//
// php -S 127.0.0.1:9000 terima.php      untuk mencoba; di peladen sesungguhnya lewat php-fpm
//
// Lingkungan: LAYANAN_RAHASIA, whsec_..., beberapa dipisah koma; semuanya berlaku, sehingga rahasia dapat diganti tanpa terputus.
//             LAYANAN_KABAR, berkas catatannya; bila kosong, kabar.jsonl di folder ini.

declare(strict_types=1);

const SELISIH = 300; // detik, sebelum dan sesudah jam kita
const TERBESAR = 1024 * 1024; // bita

// Apakah salah satu rahasia menandatangani isi ini, dan baru saja.
function sah(string $id, string $waktu, string $tanda, string $isi): bool
{
    if (!preg_match('/\A[0-9]{1,12}\z/', $waktu) || abs(time() - (int) $waktu) > SELISIH) {
        return false;
    }
    foreach (explode(',', getenv('LAYANAN_RAHASIA')) as $rahasia) {
        $kunci = base64_decode(substr(trim($rahasia), strlen('whsec_')), true);
        $benar = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$waktu.$isi", $kunci, true));
        foreach (preg_split('/\s+/', $tanda) as $satu) {
            if (hash_equals($benar, $satu)) {
                return true;
            }
        }
    }
    return false;
}

// Mencatat kabar yang belum dikenal; ada di cakram sebelum dijawab. Memberi false bila tidak dapat dicatat.
// Di portal sesungguhnya: tabel dengan kunci unik pada id, dalam transaksi yang sama dengan akibatnya.
function catat(string $id, array $pesan): bool
{
    $buku = fopen(getenv('LAYANAN_KABAR') ?: __DIR__ . '/kabar.jsonl', 'a+');
    if ($buku === false || !flock($buku, LOCK_EX)) {
        return false;
    }
    $terakhir = '';
    rewind($buku);
    while (($baris = fgets($buku)) !== false) {
        $lama = json_decode($baris, true); // null: baris yang terpotong karena mesin mati; kabarnya akan datang lagi
        if (($lama['id'] ?? null) === $id) {
            return true;
        }
        if (($lama['urut'] ?? false) && $lama['pesan']['data']['tiket'] === $pesan['data']['tiket']) {
            $terakhir = $lama['pesan']['timestamp'];
        }
    }
    $catatan = ['id' => $id, 'urut' => $pesan['timestamp'] >= $terakhir, 'pesan' => $pesan];
    $teks = "\n" . json_encode($catatan, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR);
    return fwrite($buku, $teks) === strlen($teks) && fflush($buku) && fsync($buku);
}

// 2xx hanya untuk kabar yang sudah tercatat. Jawaban 4xx selain 429 menghentikan kabar tiket itu sampai operator mengulangnya.
function terima(): int
{
    if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
        return 405;
    }
    if ((int) ($_SERVER['CONTENT_LENGTH'] ?? 0) > TERBESAR) {
        return 413;
    }
    $isi = file_get_contents('php://input');
    [$id, $waktu, $tanda] = array_map(fn ($nama) => $_SERVER["HTTP_WEBHOOK_$nama"] ?? '', ['ID', 'TIMESTAMP', 'SIGNATURE']);
    if ($id === '' || $waktu === '' || $tanda === '') {
        return 400;
    }
    if (!sah($id, $waktu, $tanda, $isi)) {
        return 401;
    }
    return catat($id, json_decode($isi, true, flags: JSON_THROW_ON_ERROR)) ? 204 : 503; // 503: layanan mengirimnya lagi nanti
}

http_response_code(terima());
