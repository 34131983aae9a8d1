<?php
// Mengirim pesan ke layanan dan membaca keadaan pengaduan. PHP 8.1 atau lebih baru, tanpa ekstensi tambahan.
//
// php kirim.php kirim pengaduan.json     mengirim satu pesan; aman diulang
// php kirim.php status SI-2026-000123    keadaan satu pengaduan
// php kirim.php daftar [KURSOR]          semua pengaduan, atau yang berubah sejak kursor itu
//
// Lingkungan: LAYANAN_URL, alamat layanan; LAYANAN_RAHASIA, whsec_..., yang pertama dipakai bila ada beberapa, dipisah koma.

declare(strict_types=1);

const PERCOBAAN = 8;
const JEDA_TERPANJANG = 60; // detik

// Tajuk yang menandatangani isi ini, sekarang.
function tajuk(string $id, string $isi): array
{
    $rahasia = trim(explode(',', getenv('LAYANAN_RAHASIA'))[0]);
    $kunci = base64_decode(substr($rahasia, strlen('whsec_')), true);
    $waktu = (string) time();
    $tanda = base64_encode(hash_hmac('sha256', "$id.$waktu.$isi", $kunci, true));
    return ["webhook-id: $id", "webhook-timestamp: $waktu", "webhook-signature: v1,$tanda"];
}

// Satu permintaan; memberi kode, jeda yang diminta, dan isi jawabannya. Kode 0: tidak terjawab.
function minta(string $jalur, string $id, ?string $isi): array
{
    $http = ['timeout' => 30, 'ignore_errors' => true, 'follow_location' => 0, 'header' => tajuk($id, $isi ?? '')];
    if ($isi !== null) {
        $http['method'] = 'POST';
        $http['content'] = $isi;
        $http['header'][] = 'content-type: application/json';
    }
    $jawaban = @file_get_contents(rtrim(getenv('LAYANAN_URL'), '/') . $jalur, false, stream_context_create(['http' => $http]));
    if ($jawaban === false) {
        return [0, null, error_get_last()['message'] ?? 'tidak terjawab'];
    }
    $jeda = null;
    foreach ($http_response_header as $baris) {
        if (stripos($baris, 'retry-after:') === 0) {
            $jeda = (float) trim(substr($baris, strlen('retry-after:')));
        }
    }
    return [(int) explode(' ', $http_response_header[0])[1], $jeda, $jawaban];
}

// Mengulang dengan jeda yang memanjang selama layanan tidak menjawab, kewalahan, atau terganggu. Tanda tangannya dibuat baru.
function minta_sampai_terjawab(string $jalur, string $id, ?string $isi = null): array
{
    for ($ke = 0; ; $ke++) {
        [$kode, $jeda, $jawaban] = minta($jalur, $id, $isi);
        $pasti = $kode !== 0 && $kode !== 429 && $kode < 500;
        if ($pasti || $ke + 1 === PERCOBAAN) {
            return [$kode, $jawaban];
        }
        usleep((int) (1_000_000 * min($jeda ?: 2 ** $ke, JEDA_TERPANJANG)));
    }
}

function id_baru(): string
{
    return 'msg_' . bin2hex(random_bytes(16));
}

// Id pesan disimpan sebelum dikirim: bila program ini terhenti, pengulangannya bukan pengaduan kedua.
function kirim(string $berkas): bool
{
    if (!file_exists("$berkas.id")) {
        file_put_contents("$berkas.id", id_baru());
    }
    [$kode, $jawaban] = minta_sampai_terjawab('/webhooks/layanan', file_get_contents("$berkas.id"), file_get_contents($berkas));
    echo rtrim($jawaban), "\n";
    return $kode === 202;
}

function status(string $tiket): bool
{
    [$kode, $jawaban] = minta_sampai_terjawab('/layanan/pengaduan/' . rawurlencode($tiket), id_baru());
    echo rtrim($jawaban), "\n";
    return $kode === 200;
}

// Semua pengaduan, satu baris satu; kursor terakhir di baris terakhir: simpanlah untuk kali berikutnya.
function daftar(string $kursor = ''): bool
{
    do {
        [$kode, $jawaban] = minta_sampai_terjawab('/layanan/pengaduan?kursor=' . rawurlencode($kursor), id_baru());
        if ($kode !== 200) {
            echo rtrim($jawaban), "\n";
            return false;
        }
        $halaman = json_decode($jawaban, true, flags: JSON_THROW_ON_ERROR);
        foreach ($halaman['pengaduan'] as $pengaduan) {
            echo json_encode($pengaduan, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR), "\n";
        }
        $kursor = $halaman['kursor'];
    } while ($halaman['masih_ada']);
    echo $kursor, "\n";
    return true;
}

$perintah = $argv[1] ?? '';
if (!in_array($perintah, ['kirim', 'status', 'daftar'], true)) {
    fwrite(STDERR, "php kirim.php kirim BERKAS | status TIKET | daftar [KURSOR]\n");
    exit(1);
}
exit($perintah(...array_slice($argv, 2)) ? 0 : 1);
