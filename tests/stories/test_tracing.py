"""Traces as a collector gets them: a comment is one trace from its hook to what was written on the issue; off, nothing is sent or kept."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from integration import tracing
from integration.tables import inbox, outbox
from tests.stories.world import World


class Collector:
    """Takes what is sent to it by OTLP over HTTP."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        spans = self.spans

        class Taken(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sent = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
                spans.extend(span for one in sent.resource_spans for scope in one.scope_spans for span in scope.spans)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Taken)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1/traces"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    tracing.configure(collector.url)
    yield collector
    tracing.configure(None)
    collector.close()


def said(span: Span) -> dict[str, str]:
    return {attribute.key.removeprefix("alur."): attribute.value.string_value for attribute in span.attributes}


def kept(world: World) -> list[str]:
    """What rows keep of traces."""
    with world.service.store._read() as connection:  # noqa: SLF001 -- as it stands on disk
        headers = [row.headers.get(tracing.PARENT) for row in connection.execute(inbox.select())]
        return [*filter(None, headers), *(row.trace for row in connection.execute(outbox.select()) if row.trace)]


def test_a_comment_is_one_trace_from_its_hook_to_the_answer_on_the_issue(world: World, collector: Collector) -> None:
    ticket = world.submit()
    world.campus.comment("kasi.layanan", ticket, "/pos cek")
    world.settle()
    tracing.configure(None)  # sends what it has

    spans = collector.spans
    note = next(span for span in spans if (span.name, said(span).get("kind")) == ("effect", "PostNote"))
    chain, within = [note], {span.span_id: span for span in spans}
    while chain[-1].parent_span_id:
        chain.append(within[chain[-1].parent_span_id])
    assert [span.name for span in chain] == ["effect", "decision", "hook"]
    assert len({span.trace_id for span in chain}) == 1
    assert said(note)["case"] == ticket

    form = next(span for span in spans if span.name == "message of the portal")
    names = {(span.name, said(span).get("kind")) for span in spans if span.trace_id == form.trace_id}
    assert {("decision", "portal"), ("effect", "OpenIssue"), ("decision", "outcome"), ("effect", "ShowOnIssue")} <= names
    words = " ".join([*(span.name for span in spans), *(value for span in spans for value in said(span).values())])
    assert "kasi.layanan" not in words
    assert "@" not in words, "no address of anybody"


def test_what_failed_is_told_by_its_kind(world: World, collector: Collector) -> None:
    ticket = world.submit()
    world.campus.comment("kasi.layanan", ticket, "/pos cek")
    world.campus.gitlab.fault("POST", r"/notes$", status=503, times=1)
    world.settle()
    world.later(minutes=1)
    tracing.configure(None)
    tries = [span for span in collector.spans if said(span).get("kind") == "PostNote"]
    assert [said(span).get("failure") for span in tries] == ["down", None]
    assert [span.status.code for span in tries] == [2, 0]
    assert len({span.trace_id for span in tries}) == 1


def test_off_as_it_is_by_default_nothing_is_kept_and_nothing_loaded(world: World) -> None:
    world.submit()
    assert world.service.parts.settings.traces_url is None
    assert kept(world) == []
    assert tracing.carried() == ""


def test_a_stranger_s_trace_is_not_joined(world: World, collector: Collector) -> None:
    world.submit()
    assert kept(world)
    foreign = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    assert tracing.headed({tracing.PARENT: foreign, "x": "y"}) == {"x": "y"}
    assert collector.url
