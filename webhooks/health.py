"""Is it alive, is it ready, how is it doing: for supervisors and Prometheus. No remote call is made, no figure names a person or a case."""

from collections.abc import Iterator

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from integration.figures import FAMILIES
from integration.parts import Parts
from integration.store import Store, StoreDown, Waiting
from integration.vacancies import vacancies


class Figures(Collector):
    """What the store and the organisation in force can tell, read when asked: the same whichever process answers."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._store = parts.store

    def collect(self) -> Iterator[Metric]:
        """The metrics; a store that is down is one of them."""
        try:
            sides, counts = self._store.waiting(), self._store.counts()
            empty = vacancies(self._store, self._parts.procedures, self._parts.organisation)
        except StoreDown:
            yield GaugeMetricFamily("alur_store_up", "Whether the database answers", value=0)
            return
        yield GaugeMetricFamily("alur_store_up", "Whether the database answers", value=1)
        rows = GaugeMetricFamily("alur_rows", "Rows that are not done", labels=["side", "state"])
        ages = GaugeMetricFamily("alur_oldest_seconds", "Age of the oldest waiting row", labels=["side"])
        failing = GaugeMetricFamily(
            "alur_failing_rows", "Rows whose last attempt failed, by why (integration/faults.py)", labels=["side", "state", "failure"]
        )
        for side in sides:
            rows.add_metric([side.side, "waiting"], side.waiting)
            rows.add_metric([side.side, "parked"], side.parked)
            ages.add_metric([side.side], age(self._store, side))
            for (state, failure), n in sorted(side.failing.items()):
                failing.add_metric([side.side, state, failure], n)
        vacant = GaugeMetricFamily("alur_offices_vacant", "Offices nobody holds today")
        vacant.add_metric([], len(empty))
        stuck = GaugeMetricFamily("alur_vacant_office_cases", "Open cases at a step of an office nobody holds", labels=["role"])
        for vacancy in empty:
            stuck.add_metric([vacancy.role.slug], vacancy.cases)
        faults = GaugeMetricFamily("alur_organisation_faults", "Faults for which the organisation file as it is now is not in force")
        faults.add_metric([], len(self._parts.in_force.faults))
        yield from (rows, ages, failing, vacant, stuck, faults)
        for family in FAMILIES:
            counted = CounterMetricFamily(f"alur_{family.name}", family.help, labels=family.labels)
            for values, n in sorted(family.read(counts).items()):
                counted.add_metric(values, n)
            yield counted


def age(store: Store, side: Waiting) -> float:
    """Seconds since the oldest waiting row came; 0 where none waits."""
    return max(0.0, (store.clock() - side.oldest).total_seconds()) if side.oldest else 0.0


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
        ages = {f"{side.side}_oldest_seconds": round(age(store, side)) for side in sides}
        return jsonify(ready=migrated, database=True, migrations=migrated, broker=bell.answers(), **ages), 200 if migrated else 503

    @pages.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    return pages
