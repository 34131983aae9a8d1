"""The one process: its threads, and what becomes of it when one of them ends or the world around it fails."""

import socket
import threading
import time
from types import SimpleNamespace

import pytest
import requests
from pydantic import SecretStr

from integration.doorbell import Broker, celery_app
from integration.settings import Bind
from integration.store import Batch, Delivery, InboxRow, Store, StoreDown, Turn, Work
from integration.tables import DONE
from sync import serve
from sync.drain import Drain
from sync.serve import OneProcess, log_end_of_thread, running
from sync.wiring import Service, sender
from tests.edge.portal import Watch
from webhooks.verification import AT_ONCE

ANYWHERE = Bind("127.0.0.1", 0)


@pytest.fixture
def service(parts) -> Service:
    return Service(parts)


def wait_for(what) -> None:
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_answers_while_it_runs_and_no_longer(service):
    with running(service, ANYWHERE) as process:
        assert requests.get(f"{process.url}/live", timeout=5).json() == {"live": True}
        process.settle()
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{process.url}/live", timeout=5)
    assert not process.failed


def test_it_listens_on_ipv6_too(service):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with running(service, Bind("::1", 0)) as process:
        assert requests.get(f"{process.url}/live", timeout=20).json() == {"live": True}


def test_behind_a_proxy_whoever_asks_has_a_share_of_their_own(service):
    with running(service, ANYWHERE) as process:

        def ask(who: str) -> int:
            return requests.get(f"{process.url}/dokumen/x", headers={"X-Forwarded-For": who}, timeout=5).status_code

        assert any(ask("103.8.12.7") == 429 for _ in range(10 * AT_ONCE))
        assert ask("103.8.12.8") == 404


def test_a_worker_that_ends_ends_the_process(service, monkeypatch, caplog):
    def broken(stop):
        raise ZeroDivisionError

    monkeypatch.setattr(service, "worker", broken)
    monkeypatch.setattr(threading, "excepthook", log_end_of_thread)
    process = OneProcess(service, ANYWHERE)
    process.start()
    assert process.stop.wait(10)
    monkeypatch.setattr(service.store, "busy", lambda: True)
    with pytest.raises(RuntimeError, match="ended"):
        process.settle()
    process.close()
    assert process.failed
    assert "thread _work ended" in caplog.text


class Restless:
    """In each case but the calm one, somebody writes again while they are answered."""

    def __init__(self, store: Store, watch: Watch) -> None:
        self.store, self.watch = store, watch

    def process(self, turn: Turn, row: InboxRow) -> Work | None:
        self.watch.move(seconds=1)
        if row.lane != "calm":
            self.store.keep(Delivery("gitlab", f"{row.key}+", row.lane, b""))
        return self.store.commit(turn, row, Batch())


def test_cases_that_never_come_to_rest_hold_up_no_other(service, watch, monkeypatch):
    restless, store = Restless(service.store, watch), service.store
    monkeypatch.setattr(service, "worker", lambda stop: Drain(store, restless, restless, stop))
    monkeypatch.setattr(serve, "TURN", 0.1)
    for lane in range(serve.WORKERS):
        store.keep(Delivery("gitlab", f"{lane}", f"{lane}", b""))
    with running(service, ANYWHERE):
        wait_for(lambda: len(store.inbox_rows(state=DONE)) > 10)
        store.keep(Delivery("gitlab", "calm", "calm", b""))
        wait_for(lambda: store.inbox_rows(state=DONE, lane="calm"))


def test_a_store_that_is_down_for_a_while_ends_nothing(service, monkeypatch, caplog):
    monkeypatch.setattr(serve, "STORE_PAUSE", 0.01)
    claim = service.store.claim

    def down(**_asked):
        monkeypatch.setattr(service.store, "claim", claim)
        raise StoreDown("locked")

    monkeypatch.setattr(service.store, "claim", down)
    with running(service, ANYWHERE) as process:
        wait_for(lambda: "the store is down: locked" in caplog.text)
        process.settle()
    assert not process.failed


def test_looking_around_goes_on_after_a_fault(service, monkeypatch, caplog):
    monkeypatch.setattr(serve, "TICK", 0.01)
    looked = []
    monkeypatch.setattr(service, "sweep", lambda: looked.append(1))

    def tick() -> int:
        looked.append(0)
        if len(looked) == 1:
            raise ZeroDivisionError
        return 0

    monkeypatch.setattr(service, "clockwork", SimpleNamespace(tick=tick))
    with running(service, ANYWHERE) as process:
        wait_for(lambda: looked.count(0) > 3)
    assert "looking around failed" in caplog.text
    assert looked.count(1) == 1
    assert not process.failed


def test_one_process_needs_no_broker(parts):
    service = Service(parts)
    service.bell = Broker(celery_app("redis://127.0.0.1:1/0"))
    with pytest.raises(TypeError):
        OneProcess(service, ANYWHERE)


def test_the_night_is_for_a_look_at_everything_besides(service, monkeypatch, watch):
    class Eyes:
        def __init__(self) -> None:
            self.looks: list[str] = []
            self.platform = service.platform()

        def sweep(self) -> int:
            self.looks.append("lately")
            return 1

        def open_ones(self) -> int:
            self.looks.append("everything")
            return 0

    eyes = Eyes()
    monkeypatch.setattr(Service, "reconciler", eyes)
    monkeypatch.setattr(Service, "today", SimpleNamespace(show=lambda _display: False))
    heard = service.bell.rings
    for hours in (0, 1, 15, 1, 1):  # from 09.00 local
        watch.move(hours=hours)
        service.sweep()
    assert eyes.looks == ["lately", "everything", "lately", "lately", "lately", "everything", "lately"]
    assert service.bell.rings == heard + 5


@pytest.mark.parametrize(
    ("smtp", "address"),
    [
        (None, "alur-pos@alur.kampus.example"),
        ("smtp://mail.kampus.example", "alur-pos@alur.kampus.example"),
        ("smtp://layanan:rahasia@mail.kampus.example", "alur-pos@alur.kampus.example"),
        ("smtps://layanan%40kampus.example:rahasia@mail.kampus.example", "layanan@kampus.example"),
    ],
)
def test_mail_comes_from_an_address_that_is_ours(settings, smtp, address):
    assert sender(settings.model_copy(update={"smtp_url": SecretStr(smtp) if smtp else None})) == address


def test_two_hundred_who_never_finish_hold_up_nobody(service):
    slow = b"POST /webhooks/layanan HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{"
    with running(service, ANYWHERE) as process:
        port = int(process.url.rpartition(":")[2])
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(200)]
        for connection in silent[::2]:
            connection.sendall(slow)
        assert requests.get(f"{process.url}/live", timeout=20).json() == {"live": True}
        for connection in silent:
            connection.close()


def test_a_header_without_end_is_refused(service):
    with running(service, ANYWHERE) as process:
        answer = requests.get(f"{process.url}/live", headers={"X-Lama": "x" * 20_000}, timeout=20)
    assert answer.status_code == 431
