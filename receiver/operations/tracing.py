"""One OpenTelemetry span for each delivery: `pip install receiver[otel]`.

OpenTelemetry's own variables say where spans go (OTEL_EXPORTER_OTLP_ENDPOINT) and which are sent (OTEL_TRACES_SAMPLER).
A span says what the log says of a delivery, and never a value. Spans are sent by a thread of their own, and dropped if
the collector is away: a delivery never waits for it.
"""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from time import time_ns
from typing import Any, Protocol

from receiver.core.delivery import Receipt
from receiver.core.problems import Problem
from receiver.core.work import Step

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
SECOND = 1_000_000_000  # nanoseconds


class Course(Protocol):
    """How one request went."""

    process: str
    outcome: Receipt | Problem | None
    parent: str  # the traceparent header, "" for none (W3C Trace Context)
    received: int  # bytes of the body
    steps: dict[Step, float]  # seconds of each step, in their order

    @property
    def seconds(self) -> float:
        """How long it has taken."""


Record = Callable[[Course, int], None]  # a request and the status of its answer


def wanted(environ: Mapping[str, str]) -> bool:
    """Return whether OpenTelemetry's variables name a collector for traces."""
    off = environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or environ.get("OTEL_TRACES_EXPORTER") == "none"
    return not off and any(environ.get(name) for name in ENDPOINTS)


def installed() -> bool:
    """Return whether the extra `otel` is installed."""
    return find_spec("opentelemetry") is not None and find_spec("opentelemetry.exporter") is not None


def start(processor: Any = None) -> Record:
    """Return what records a request as a span, sent to `processor` or a collector."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import SpanKind, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    resource = Resource.create()
    if str(resource.attributes["service.name"]).startswith("unknown_service"):  # OTEL_SERVICE_NAME is not set
        resource = resource.merge(Resource({"service.name": "receiver"}))
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(processor or BatchSpanProcessor(OTLPSpanExporter()))
    tracer = provider.get_tracer("receiver")
    context_of = TraceContextTextMapPropagator()

    def record(course: Course, status: int) -> None:
        ended = time_ns()
        began = ended - int(course.seconds * SECOND)
        parent = context_of.extract({"traceparent": course.parent})
        span = tracer.start_span(
            f"deliver {course.process}",
            parent,
            SpanKind.SERVER,
            attributes=_attributes(course, status),
            start_time=began,
        )
        at = began
        for step, seconds in course.steps.items():
            at += int(seconds * SECOND)
            span.add_event(step, {"seconds": seconds}, at)
        if status >= 500:
            span.set_status(StatusCode.ERROR)
        span.end(ended)

    return record


def _attributes(course: Course, status: int) -> dict[str, str | int]:
    found: dict[str, str | int] = {
        "http.request.method": "POST",
        "http.response.status_code": status,
        "http.request.body.size": course.received,
        "receiver.process": course.process,
    }
    match course.outcome:
        case Problem() as problem:
            return found | {"receiver.outcome": "refused", "receiver.id": problem.kept_as, **_reasons(problem)}
        case Receipt() as receipt:
            outcome = "duplicate" if receipt.duplicate else receipt.status.value
            reasons = _reasons(receipt.problem) if receipt.problem else {}
            return found | {"receiver.outcome": outcome, "receiver.id": receipt.id, **reasons}
    return found


def _reasons(problem: Problem) -> dict[str, str]:
    rules = ",".join(dict.fromkeys(each.rule for each in problem.violations))
    return {"receiver.code": problem.code.value, "receiver.rules": rules}
