"""What is counted is told to the store in heaps, kept where that fails, and read back by its labels."""

import pytest

from integration.figures import ENOUGH, FAMILIES, FINDS, LEFT, RETRIES, Tally
from integration.store import StoreDown


def test_figures_are_told_together_and_once(store):
    tally = Tally()
    for _ in range(ENOUGH - 1):
        tally.add(RETRIES, "inbox")
    tally.tell(store, at_least=ENOUGH)
    assert store.counts() == {}
    tally.add(RETRIES, "outbox")
    tally.tell(store, at_least=ENOUGH)
    tally.tell(store)
    assert store.counts() == {"retries:inbox": ENOUGH - 1, "retries:outbox": 1}


def test_figures_the_store_could_not_be_told_are_told_later(store, monkeypatch):
    def down(_: object) -> None:
        raise StoreDown("locked")

    tally = Tally()
    tally.add(LEFT)
    with monkeypatch.context() as patch:
        patch.setattr(store, "count", down)
        with pytest.raises(StoreDown):
            tally.tell(store)
    tally.tell(store)
    assert LEFT.read(store.counts()) == {(): 1}


def test_figures_of_another_release_are_nobodys():
    counts = {"retries": 1, "retries:inbox:x": 2, "lost_hook_finds:drift": 3, "platform_get": 4}
    assert RETRIES.read(counts) == {("inbox",): 0, ("outbox",): 0}
    assert FINDS.read(counts) == {("request",): 0, ("drift",): 3, ("deletion",): 0}


def test_families_are_told_apart_and_fit_their_labels():
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)
    assert [family.name for family in FAMILIES for values in family.known if len(values) != len(family.labels)] == []
