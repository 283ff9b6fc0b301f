"""The answer to /metrics: sums over all workers; ledger and disks as they are."""

import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from math import inf

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from receiver.core.problems import Problem
from receiver.delivery.context import ContextHolder
from receiver.operations import health, meters
from receiver.operations.health import Survey, survey
from receiver.site import in_force
from receiver.store.stage import free_space

LOOKS = 20  # at files that are just being created
PAUSE = 0.01  # seconds between them

# name, meaning, and where it stands in a survey
GAUGES: tuple[tuple[str, str, Callable[[Survey], int | datetime | None]], ...] = (
    ("receiver_held", "Deliveries held in quarantine.", lambda each: each.held),
    ("receiver_refused", "Refused deliveries kept in quarantine.", lambda each: each.refused),
    ("receiver_unpublished", "Accepted deliveries that are not yet published.", lambda each: each.unpublished),
    (
        "receiver_oldest_unpublished_timestamp_seconds",
        "When the oldest accepted delivery that is not yet published was accepted, Unix time.",
        lambda each: each.oldest_unpublished,
    ),
    ("receiver_output_files", "Files in the output folder, not yet taken away.", lambda each: each.waiting_files),
    (
        "receiver_output_oldest_timestamp_seconds",
        "When the oldest file in the output folder was written, Unix time.",
        lambda each: each.oldest_file,
    ),
    (
        "receiver_batches_open",
        "Batches that take records.",
        lambda each: each.batches.open if each.batches else None,
    ),
    (
        "receiver_batches_closed",
        "Closed batches that are not yet published.",
        lambda each: each.batches.closed if each.batches else None,
    ),
    (
        "receiver_batch_records",
        "Records that wait in batches.",
        lambda each: each.batches.records if each.batches else None,
    ),
    (
        "receiver_batch_oldest_timestamp_seconds",
        "When the oldest batch that is not yet published was opened, Unix time.",
        lambda each: each.batches.oldest if each.batches else None,
    ),
)


class Standing(Collector):
    """Gauges that are read at each scrape, with process or folder as their label."""

    def __init__(self, current: ContextHolder) -> None:
        self._current = current

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges; if the ledger cannot be asked, those that do not need it."""
        up = GaugeMetricFamily("receiver_ledger_up", "1 if the ledger answers and is where it was.")
        surveys: list[Survey] = []
        try:
            self._current.context.ledger.require_in_place()
            surveys = survey(self._current.context)
            up.add_metric([], 1)
        except Problem:
            up.add_metric([], 0)
        yield up
        for name, meaning, value_of in GAUGES:
            gauge = GaugeMetricFamily(name, meaning, labels=["process"])
            for each in surveys:
                _add(gauge, each.process, value_of(each))
            yield gauge
        space = GaugeMetricFamily(
            "receiver_free_bytes", "Free space on each disk that is written to.", labels=["folder"]
        )
        for disk in self._current.context.disks():
            with suppress(Problem):  # gone since
                space.add_metric([str(disk)], free_space(disk))
        yield space
        yield self._ready()
        kept_back = "Faults that keep an edit of the site back."
        yield GaugeMetricFamily("receiver_edits_kept_back", kept_back, self._kept_back())

    def _ready(self) -> Metric:
        """Return the checks of /readyz as numbers: 1 for one that passes everywhere."""
        holding: dict[str, bool] = {}
        for check in health.checks(self._current.context):
            holding[check.name] = holding.get(check.name, True) and check.ready
        gauge = GaugeMetricFamily("receiver_ready", "1 where what a delivery needs is there.", labels=["check"])
        for name, holds in holding.items():
            gauge.add_metric([name], holds)
        return gauge

    def _kept_back(self) -> int:
        served = in_force.read(self._current.context.settings.local)
        return len(served.kept_back) if served else 0


def scrape(current: ContextHolder) -> Callable[[], bytes]:
    """Return what writes the page of all workers that count in the same folder."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(meters.folder_in(current.context.settings.local)))  # type: ignore[no-untyped-call]
    standing = CollectorRegistry()
    standing.register(Standing(current))
    return Page(lambda: _page(registry) + generate_latest(standing))


def _page(registry: CollectorRegistry) -> bytes:
    """Return the page of a registry.

    The file of a worker that just starts is empty for a moment.
    """
    for _ in range(LOOKS):
        with suppress(struct.error):
            return generate_latest(registry)
        time.sleep(PAUSE)
    return generate_latest(registry)


def _add(gauge: GaugeMetricFamily, process: str, value: int | datetime | None) -> None:
    if value is not None:
        gauge.add_metric([process], value.timestamp() if isinstance(value, datetime) else value)


YOUNG = 1.0  # seconds: a monitoring system asks every fifteen
PATIENCE = 10.0  # seconds that anybody waits for a page that takes long: a disk that it asks is away
REST = 4.0  # seconds without a page for each second of the processor that one took: a fifth is left to scrapers


class Page:
    """One page, and how old it is."""

    def __init__(self, make: Callable[[], bytes]) -> None:
        self._make = make
        self._making = threading.Lock()
        self._made = b""
        self._made_at = -inf  # monotonic seconds
        self._rests_until = -inf

    def __call__(self) -> bytes:
        """Return the page."""
        is_young = time.monotonic() - self._made_at < YOUNG
        if not self._making.acquire(timeout=0 if is_young else PATIENCE):
            return self._made
        try:
            time.sleep(max(0, self._rests_until - time.monotonic()))
            begun = time.thread_time()
            self._made = self._make()
            self._made_at = time.monotonic()
            self._rests_until = self._made_at + REST * (time.thread_time() - begun)
            return self._made
        finally:
            self._making.release()
