"""Fills the ledger of the working directory's `var` with a held, a refused and a published delivery."""

from pathlib import Path

from receiver.authoring.cases.cases import processes
from receiver.core.delivery import Arrival, Section
from receiver.core.problems import Problem
from receiver.core.settings import Settings
from receiver.delivery import receive
from receiver.delivery.context import open_context
from receiver.store import ledger
from tests.support.home import FAX, NOON, metadata

settings = Settings.from_environment()
ledger.create(settings.ledger)
context = open_context(settings, processes(settings))


def deliver(content: bytes) -> str:
    sections = [
        Section("file", "scan.tif", "image/tiff", content=[FAX]),
        Section("metadata", "metadata.json", "application/json", content=[content]),
    ]
    try:
        return receive.receive(context, context.processes["referrals"], sections, Arrival(NOON, "192.0.2.7")).id
    except Problem as problem:
        return problem.kept_as


ids = [deliver(metadata("S2", 0.1)), deliver(metadata("S3", mrn="wrong")), deliver(metadata("S1"))]
Path("ids").write_text(" ".join(ids))
