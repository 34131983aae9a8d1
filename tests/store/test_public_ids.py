"""A paper has one public id for good, whoever asks for it and how often; nothing but the paper leads to it."""

import re
from concurrent.futures import ThreadPoolExecutor


def test_a_paper_has_one_id_whoever_asks_and_no_other_paper_has_it(open_store):
    stores = [open_store(), open_store()]

    def reserve(n: int) -> tuple[str, str]:
        document = f"SI-2026-{n % 20:06d}/surat-tugas/1"
        return document, stores[n % 2].public_id(document.split("/", maxsplit=1)[0], document)

    with ThreadPoolExecutor(8) as pool:
        reserved = set(pool.map(reserve, range(80)))
    assert len(reserved) == len({public_id for _, public_id in reserved}) == 20
    for document, public_id in reserved:
        assert stores[0].verifiable(public_id) == (document.split("/")[0], document)


def test_an_id_is_128_bits_of_chance_that_an_address_may_hold(store):
    ids = [store.public_id("SI-2026-000001", f"SI-2026-000001/notulen/{version}") for version in range(50)]
    assert all(re.fullmatch("[a-z2-7]{26}", public_id) for public_id in ids)
    assert all(len({public_id[place] for public_id in ids}) > 10 for place in range(25))  # the last holds only three bits


def test_an_id_never_given_leads_nowhere(store):
    store.public_id("SI-2026-000001", "SI-2026-000001/notulen/1")
    for public_id in ("", "a" * 26, "SI-2026-000001", "SI-2026-000001/notulen/1"):
        assert store.verifiable(public_id) is None
