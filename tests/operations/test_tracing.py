"""OpenTelemetry: one span for each delivery, below the caller's, with the steps as events and never a value."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from werkzeug.test import EnvironBuilder, run_wsgi_app

from receiver.app import create_app
from receiver.core.settings import Settings
from receiver.operations import tracing
from tests.console.sample import ROOT, TOKEN, request_of

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"  # the example of W3C Trace Context §3.2
MINUTE = 60  # seconds


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("RECEIVER_TOKEN", TOKEN)
    return Settings.from_environment({"RECEIVER_SITE": str(ROOT), "RECEIVER_DATA": str(tmp_path / "var")})


@pytest.fixture
def spans(monkeypatch):
    kept = InMemorySpanExporter()
    record = tracing.start(SimpleSpanProcessor(kept))
    monkeypatch.setattr("receiver.app._tracing", lambda: record)
    return kept.get_finished_spans


def deliver(app, changes, **headers):
    request = request_of("S-1", changes)
    request["headers"] |= headers
    return run_wsgi_app(app, EnvironBuilder(method="POST", **request).get_environ())


def test_a_delivery_is_a_span_below_its_caller_with_its_steps(settings, spans):
    deliver(create_app(settings), {}, traceparent=f"00-{TRACE}-{CALLER}-01")
    (span,) = spans()
    assert (f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE, CALLER)
    assert span.kind is SpanKind.SERVER
    assert span.name == "deliver referrals"
    assert span.attributes["receiver.outcome"] == "published"
    assert span.attributes["http.response.status_code"] == 200
    assert [event.name for event in span.events] == ["receive", "read", "render", "commit", "publish"]
    assert span.start_time <= span.events[0].timestamp <= span.events[-1].timestamp <= span.end_time


def test_a_refusal_says_code_and_rules_and_no_value(settings, spans):
    app = create_app(settings)
    deliver(app, {"patient_dob": ("31/31/1964-SECRET", 0.99)}, traceparent="not one")
    (span,) = spans()
    assert span.parent is None
    assert span.attributes["receiver.outcome"] == "refused"
    assert span.attributes["receiver.code"] == "fields-invalid"
    assert span.attributes["receiver.rules"]
    assert span.status.status_code is not StatusCode.ERROR  # the sender's fault
    assert "SECRET" not in span.to_json()


def test_only_what_names_a_collector_asks_for_traces():
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}
    assert tracing.wanted(endpoint)
    assert not tracing.wanted({})
    assert not tracing.wanted(endpoint | {"OTEL_SDK_DISABLED": "true"})
    assert not tracing.wanted(endpoint | {"OTEL_TRACES_EXPORTER": "none"})


def test_without_the_extra_the_service_starts_and_says_what_to_install(settings, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    monkeypatch.setattr(tracing, "installed", lambda: False)
    said = []
    monkeypatch.setattr("receiver.log.not_traced", lambda: said.append(True))
    status = deliver(create_app(settings), {})[1]
    assert status.startswith("200")
    assert said


def test_spans_reach_a_collector(settings, monkeypatch):
    came, arrived = [], threading.Event()

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self):
            came.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()
            arrived.set()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
        deliver(create_app(settings), {})
        assert arrived.wait(MINUTE)
        server.shutdown()
    path, body = came[0]
    request = ExportTraceServiceRequest.FromString(body)
    resource = request.resource_spans[0].resource.attributes
    assert path == "/v1/traces"
    assert {"receiver"} == {each.value.string_value for each in resource if each.key == "service.name"}
    assert request.resource_spans[0].scope_spans[0].spans[0].name == "deliver referrals"
