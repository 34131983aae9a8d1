"""Who asks too often waits, and nobody else; whoever speaks for others does not use up their share."""

import pytest

from webhooks.limits import MOST, Allowance, asker


class Ticking:
    """Seconds that pass when they are told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_so_many_at_once_then_one_after_each_pause():
    clock = Ticking()
    allowance = Allowance(3, 2.0, clock)
    assert [allowance.take("a") for _ in range(4)] == [0, 0, 0, 2.0]
    clock.now += 1.5
    assert allowance.take("a") == 0.5  # what was refused used nothing up
    clock.now += 0.5
    assert [allowance.take("a") for _ in range(2)] == [0, 2.0]
    clock.now += 3600
    assert [allowance.take("a") for _ in range(4)] == [0, 0, 0, 2.0]


def test_nobody_waits_for_another():
    allowance = Allowance(1, 2.0, Ticking())
    assert [allowance.take(who) for who in ("a", "a", "b")] == [0, 2.0, 0]


def test_of_very_many_those_not_heard_of_longest_are_forgotten():
    allowance = Allowance(2, 60.0, Ticking())
    for who in ("a", "b", "a"):
        allowance.take(who)
    for n in range(MOST - 1):
        allowance.take(str(n))
    assert allowance.take("a") > 0
    assert [allowance.take("b") for _ in range(2)] == [0, 0]


@pytest.mark.parametrize(
    ("peer", "forwarded", "who"),
    [
        ("103.8.12.7", "", "103.8.12.7"),
        ("103.8.12.7", "198.51.100.1", "103.8.12.7"),
        ("127.0.0.1", "198.51.100.1, 103.8.12.9", "103.8.12.9"),
        ("10.1.2.3", "", "10.1.2.3"),
        ("10.1.2.3", "bukan alamat", "10.1.2.3"),
        ("::ffff:103.8.12.7", "", "103.8.12.7"),
        ("2001:4860:1:2:3:4:5:6", "", "2001:4860:1:2::/64"),
        ("::1", "103.8.12.9", "103.8.12.9"),
        ("", "103.8.12.9", "103.8.12.9"),
        ("", "", ""),
    ],
)
def test_who_asks(peer, forwarded, who):
    assert asker(peer, forwarded) == who
