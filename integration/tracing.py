"""Traces across hook, decision and effect, by OpenTelemetry to a collector of the operator's; off unless ALUR_TRACES_URL says where it is.

Nothing waits for the collector, and nothing is lost with it but traces. A span names what was done and ids, as a log line does: no
personal data, no secret. Only this module knows OpenTelemetry, which is not even loaded while traces are off.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from integration.codec import Json
from integration.settings import SettingFault, SettingsFaults
from integration.templates import messages

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

PARENT = "traceparent"
"""Where W3C's trace context stands among the headers kept with a message."""

_provider: "TracerProvider | None" = None


def configure(url: str | None) -> None:
    """Send traces of this process there from now on (`http://HOST:4318/v1/traces`, OTLP over HTTP); None: send none.

    After a fork, which no sender survives, it is called again. Raises SettingsFaults where the extra `tracing` is not installed.
    """
    global _provider  # noqa: PLW0603 -- one for the process, as of the logs
    if _provider is not None:
        _provider.shutdown()
        _provider = None
    if url is None:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 -- an extra
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        raise SettingsFaults([SettingFault("ALUR_TRACES_URL", messages("settings")["traces_missing"])]) from None
    _provider = TracerProvider(resource=Resource.create({"service.name": "alur-pos", "process.pid": os.getpid()}))
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=url)))


@contextmanager
def span(name: str, within: str = "", **told: str | int) -> Iterator[None]:
    """What is done inside is a span of this name, part of the trace of `within` (a `carried`), else of the span around it, else a new one.

    `told`: its attributes, as `alur.<name>`.
    """
    if _provider is None:
        yield
        return
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415 -- see configure

    context = TraceContextTextMapPropagator().extract({PARENT: within}) if within else None
    attributes = {f"alur.{key}": value for key, value in told.items()}
    with _provider.get_tracer("alur-pos").start_as_current_span(name, context, attributes=attributes, record_exception=False):
        yield


def carried() -> str:
    """The span around this, to be kept with what follows from it; "" where there is none."""
    if _provider is None:
        return ""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415 -- see configure

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get(PARENT, "")


def headed(headers: Json) -> Json:
    """The headers to be kept with a message: with the span around this, where there is one; what a stranger sent as such never counts."""
    parent = carried()
    kept = {name: value for name, value in headers.items() if name != PARENT}
    return {**kept, PARENT: parent} if parent else kept


def failed(why: str) -> None:
    """The span around this did not do what it was for; `why`: a word of integration.faults."""
    if _provider is None:
        return
    from opentelemetry.trace import Status, StatusCode, get_current_span  # noqa: PLC0415 -- see configure

    get_current_span().set_attribute("alur.failure", why)
    get_current_span().set_status(Status(StatusCode.ERROR))
