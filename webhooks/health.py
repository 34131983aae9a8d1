"""Is it alive, is it ready, how is it doing: for supervisors and Prometheus. No remote call is made, no figure names a person or a case."""

from collections.abc import Iterator

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from integration.figures import FAMILIES
from integration.parts import Parts
from integration.store import Store, StoreDown
from integration.vitals import Vitals, age


class Figures(Collector):
    """What the store and the organisation in force can tell, read when asked: the same whichever process answers."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def collect(self) -> Iterator[Metric]:
        """The metrics; a store that is down is one of them."""
        up = "alur_store_up", "Whether the database answers"
        try:
            vitals = Vitals.of(self._parts)
        except StoreDown:
            yield GaugeMetricFamily(*up, value=0)
            return
        yield GaugeMetricFamily(*up, value=1)
        yield from _rows(self._parts.store, vitals)
        yield GaugeMetricFamily("alur_work_waits_seconds", "How long what is due longest has waited for a worker", value=vitals.work_waits)
        done = GaugeMetricFamily("alur_recurring_age_seconds", "Since this recurring work was done last", labels=["work"])
        for work, seconds in vitals.recurring.items():
            if seconds is not None:
                done.add_metric([work], seconds)
        yield done
        if vitals.hook_age is not None:
            yield GaugeMetricFamily("alur_hook_age_seconds", "Since the last hook of GitLab came", value=vitals.hook_age)
        cases = GaugeMetricFamily("alur_open_cases", "Cases that are open", labels=["status"])
        for status, n in sorted(vitals.cases.items()):
            cases.add_metric([status], n)
        yield cases
        yield GaugeMetricFamily("alur_offices_vacant", "Offices nobody holds today", value=len(vitals.vacancies))
        stuck = GaugeMetricFamily("alur_vacant_office_cases", "Open cases at a step of an office nobody holds", labels=["role"])
        for vacancy in vitals.vacancies:
            stuck.add_metric([vacancy.role.slug], vacancy.cases)
        yield stuck
        faulty = "Faults for which the organisation file as it is now is not in force"
        yield GaugeMetricFamily("alur_organisation_faults", faulty, value=vitals.faults)
        for family in FAMILIES:
            counted = CounterMetricFamily(f"alur_{family.name}", family.help, labels=family.labels)
            for values, n in sorted(family.read(vitals.counts).items()):
                counted.add_metric(values, n)
            yield counted


def _rows(store: Store, vitals: Vitals) -> Iterator[Metric]:
    """What is not done on either side."""
    rows = GaugeMetricFamily("alur_rows", "Rows that are not done", labels=["side", "state"])
    ages = GaugeMetricFamily("alur_oldest_seconds", "Age of the oldest waiting row", labels=["side"])
    failing = GaugeMetricFamily(
        "alur_failing_rows", "Rows whose last attempt failed, by why (integration/faults.py)", labels=["side", "state", "failure"]
    )
    for side in vitals.sides:
        rows.add_metric([side.side, "waiting"], side.waiting)
        rows.add_metric([side.side, "parked"], side.parked)
        ages.add_metric([side.side], age(store, side.oldest) or 0.0)
        for (state, failure), n in sorted(side.failing.items()):
            failing.add_metric([side.side, state, failure], n)
    yield from (rows, ages, failing)


def health(parts: Parts) -> Blueprint:
    """The three routes."""
    store, bell = parts.store, parts.bell
    pages = Blueprint("health", __name__)
    registry = CollectorRegistry()
    registry.register(Figures(parts))

    @pages.get("/live")
    def live() -> Response:
        return jsonify(live=True)

    @pages.get("/ready")
    def ready() -> tuple[Response, int]:
        """Ready to keep what comes. A broker that is down is told, but does not count: forms are kept without it."""
        try:
            migrated, sides = store.migrated(), store.waiting()
        except StoreDown:
            return jsonify(ready=False, database=False), 503
        ages = {f"{side.side}_oldest_seconds": round(age(store, side.oldest) or 0) for side in sides}
        return jsonify(ready=migrated, database=True, migrations=migrated, broker=bell.answers(), **ages), 200 if migrated else 503

    @pages.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    return pages
