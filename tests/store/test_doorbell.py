"""The bell wakes who waits, costs nothing when nobody hears it, and never fails the one who rings."""

import threading
import time

from integration.doorbell import BELL, Broker, Embedded, celery_app


def test_a_ring_wakes_who_waits():
    bell = Embedded()
    woken = threading.Event()

    def wait() -> None:
        bell.wait(0, 30)
        woken.set()

    threading.Thread(target=wait).start()
    bell.ring()
    assert woken.wait(5)


def test_a_ring_before_the_waiting_is_not_slept_through():
    bell = Embedded()
    heard = bell.rings
    bell.ring()
    started = time.monotonic()
    bell.wait(heard, 30)
    assert time.monotonic() - started < 5


def test_who_waits_for_the_broker_waits_as_long_as_it_takes():
    """The worker and the beat: Celery gives up after 100 attempts, and would end them."""
    assert celery_app("redis://127.0.0.1:1/0").conf.broker_connection_max_retries is None


def test_without_a_ring_the_wait_ends_by_itself():
    Embedded().wait(0, 0.01)


def test_a_ring_goes_through_the_broker_as_a_message_without_content(redis_database):
    app = celery_app(redis_database)
    bell = Broker(app)
    bell.ring()
    deadline = time.monotonic() + 10
    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue("alur")
        message = queue.get(timeout=deadline - time.monotonic())
        message.ack()
        queue.close()
    assert message.headers["task"] == BELL
    assert message.payload[:2] == [[], {}]


def test_a_broker_that_is_down_holds_nobody_up(caplog):
    bell = Broker(celery_app("redis://127.0.0.1:1/0"))
    started = time.monotonic()
    for _ in range(100):
        bell.ring()
    assert time.monotonic() - started < 20  # one that waited for the broker would take a hundred times that
    deadline = time.monotonic() + 10
    while "the broker does not answer" not in caplog.text and time.monotonic() < deadline:
        time.sleep(0.01)
    assert "the broker does not answer" in caplog.text


def test_whether_a_ring_would_be_heard_can_be_asked(redis_database):
    assert Embedded().answers()
    assert Broker(celery_app(redis_database)).answers()
    assert not Broker(celery_app("redis://127.0.0.1:1/0")).answers()
