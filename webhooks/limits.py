"""How often one address may ask what everybody may ask: so many times at once, and then a steady few a minute.

Counted in each process for itself and never written down; however many addresses ask, only so many are remembered.
"""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from flask import Response, request

MOST = 10_000  # addresses remembered: some 2 MiB; of more, those not heard of longest are forgotten


class Allowance:
    """`at_once` questions without a pause, then one every `pause` seconds, for each who asks."""

    def __init__(self, at_once: int, pause: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._pause, self._credit, self._clock = pause, at_once * pause, clock
        self._spent: OrderedDict[str, float] = OrderedDict()  # until when each has used up what time gives
        self._counting = threading.Lock()

    def take(self, who: str) -> float:
        """Take one question of theirs: 0 where they may ask it, else the seconds until they may; nothing is taken then."""
        now = self._clock()
        with self._counting:
            spent = max(self._spent.get(who, now), now) + self._pause
            if spent - now > self._credit:
                return spent - now - self._credit
            self._spent[who] = spent
            self._spent.move_to_end(who)
            if len(self._spent) > MOST:
                self._spent.popitem(last=False)
        return 0.0

    def take_here(self) -> float:
        """The same for whoever sends the request at hand."""
        return self.take(asker(request.remote_addr or "", request.headers.get("X-Forwarded-For", "")))


def waiting(answer: Response, seconds: float) -> Response:
    """The refusal of whoever asks too often, with how long to wait."""
    answer.headers["Retry-After"] = str(math.ceil(seconds))
    return answer


def asker(peer: str, forwarded: str) -> str:
    """Who asks, by the address the connection comes from; "" where nobody can tell.

    From a private address speaks the proxy before us: then it is the last one of its `X-Forwarded-For`, the only one that it wrote itself.
    A stranger's is never believed. Of IPv6 the first 64 bits count: the rest is for whoever has them to choose.
    """
    address = _address(peer)
    if address is None or address.is_private:
        address = _address(forwarded.rpartition(",")[2].strip()) or address
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return "" if address is None else str(address)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
