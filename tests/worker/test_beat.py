"""Of several beats one rings: the others ask, and ring when it has fallen silent."""

from celery import Celery
from redis import Redis

from integration.doorbell import celery_app
from integration.store import StoreDown
from sync.beat import TICK, TICK_EVERY, OneOfMany


def schedule(app: Celery, leads) -> OneOfMany:
    app.conf.beat_schedule = {TICK: {"task": TICK, "schedule": TICK_EVERY}}
    return OneOfMany(app=app, leads=leads, max_interval=TICK_EVERY)


def rung(broker: str) -> int:
    with Redis.from_url(broker) as redis:
        return redis.llen("alur")


def test_only_the_one_that_leads_rings(redis_database: str):
    app, leader = celery_app(redis_database), [False]
    beat = schedule(app, lambda: leader[0])
    assert [beat.tick() for _ in range(3)] == [TICK_EVERY] * 3
    assert rung(redis_database) == 0
    leader[0] = True
    for entry in beat.schedule.values():
        entry.last_run_at = entry.last_run_at.replace(year=2020)
    beat.tick()
    assert rung(redis_database) == 1


def test_a_store_that_is_down_silences_and_ends_no_beat(redis_database: str):
    def down() -> bool:
        raise StoreDown("no connection")

    assert schedule(celery_app(redis_database), down).tick() == TICK_EVERY
    assert rung(redis_database) == 0
