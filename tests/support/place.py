"""A place on a real disk where deliveries are accepted and published, for tests and for the processes they kill."""

import gc
import hashlib
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from receiver.core.delivery import Kind, Output, Part, Receipt, Role, Status, delivery_id
from receiver.core.problems import Code, Problem
from receiver.store import ledger, originals, publish, quarantine, recover
from receiver.store.entry import Entry, PartLine
from receiver.store.rows import Roots
from receiver.store.stage import Stage, stage_for
from receiver.store.staged import Staged
from tests.support.leftovers import left_in

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
PEER = "192.0.2.1"
METADATA = b'{"patient": "invented"}'


def open_files(below: Path) -> int:
    """Count the files below a folder that this process has open; applications of earlier tests work on beside it."""
    gc.collect()
    count = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            count += descriptor.readlink().is_relative_to(below)
    return count


@dataclass
class Place:
    """One installation: its data, its output and its ledger."""

    data: Path
    output: Path
    stage: Stage
    ledger: ledger.Ledger
    url: str  # of the ledger

    @classmethod
    def at(cls, root: Path, url: str = "") -> "Place":
        data, output = root / "var", root / "output"
        url = url or f"sqlite:{data / 'ledger.db'}"
        roots = Roots(output=output, data=data)
        ledger.create(url, roots)
        quarantine.ensure_folder(data)
        originals.ensure_folder(data)
        opened = ledger.Ledger(url, roots)
        return cls(data, output, stage_for(data, output, owner=opened.owner), opened, url)

    def recover(self) -> recover.Report:
        return recover.recover(self.ledger, self.data, [self.stage.root])

    def outputs(self) -> set[str]:
        return {str(path.relative_to(self.output)) for path in self.output.rglob("*") if path.is_file()}

    def staged(self) -> set[str]:
        """Return the folders of the stage that are not ready for the next delivery."""
        return {path.name for path in left_in(self.stage.root)}


@dataclass
class Sent:
    """One delivery as the platform has it."""

    source_id: str = "S1"
    content: bytes = b"an image" * 100
    process: str = "referrals"
    name: str = "{id}"  # of the files it becomes
    keep: bool = False  # its originals

    @property
    def id(self) -> str:
        return delivery_id(self.process, self.source_id, self.parts(Path()))

    def parts(self, folder: Path, names: tuple[str, str] = ("1.tif", "2.json")) -> list[Part]:
        contents = (
            ("file", "Jane Invented.tif", "image/tiff", Role.DOCUMENT, ".tif", self.content),
            ("metadata", None, "application/json", Role.METADATA, ".json", METADATA),
        )
        return [
            Part(part, filename, type_, role, suffix, len(data), hashlib.sha256(data).hexdigest(), folder, name, part)
            for (part, filename, type_, role, suffix, data), name in zip(contents, names, strict=True)
        ]

    def files(self) -> dict[str, bytes]:
        """What is published of it."""
        base = self.name.format(id=self.id)
        return {
            f"{base}.tif": self.content,
            f"{base}.hl7": f"MSH|{self.id}".encode(),
            f"{base}.json": f'{{"id": "{self.id}"}}'.encode(),
            f"{base}.done": b"",
        }


def write_parts(staged: Staged, sent: Sent) -> list[Part]:
    """Stage the parts, the document on disk and the metadata in memory: what the intake does."""
    parts = sent.parts(staged.folder, (staged.add(sent.content, ".tif").name, staged.add(METADATA, ".json").name))
    staged.write([parts[0].path.name])
    return parts


def entry_of(place: Place, staged: Staged, sent: Sent, version: int) -> Entry:
    """Stage the records and the marker, and return the entry to be accepted."""
    parts = write_parts(staged, sent)
    kinds = (Kind.DOCUMENT, Kind.RECORD, Kind.RECORD, Kind.MARKER)
    outputs = []
    for kind, (name, content) in zip(kinds, sent.files().items(), strict=True):
        staged_name = parts[0].path.name if kind is Kind.DOCUMENT else staged.add(content).name
        digest = hashlib.sha256(content).hexdigest()
        outputs.append(Output(kind, staged_name, name, f"{place.output}/{name}", len(content), digest))
    entry = bare_entry(place, sent, parts, version)
    if sent.keep:
        outputs.append(originals.lay_out(place.data, staged, entry, parts))
    return entry._replace(outputs=tuple(outputs), stage=str(staged.folder))


def bare_entry(place: Place, sent: Sent, parts: list[Part], version: int | None) -> Entry:
    lines = tuple(map(PartLine.of, parts))
    return Entry(sent.id, sent.process, sent.source_id, version, AT, PEER, "c0ffee", lines, output=str(place.output))


def deliver(place: Place, sent: Sent) -> Receipt:
    """Accept and publish, choosing the version anew as often as it is taken: what the intake does."""
    with place.stage.open() as staged:
        entry = entry_of(place, staged, sent, place.ledger.next_version(sent.process, sent.source_id))
        while True:
            try:
                receipt = publish.commit(place.ledger, staged, entry)
                break
            except ledger.VersionTakenError as taken:
                entry = entry._replace(version=taken.free)
        if not receipt.duplicate:
            publish.publish(place.ledger, staged, entry)
        return receipt._replace(version=entry.version) if not receipt.duplicate else receipt


def refuse(place: Place, sent: Sent, status: Status = Status.REFUSED, code: Code = Code.FIELDS_INVALID) -> Receipt:
    """Set a delivery aside: what the intake does with one that is refused or held."""
    with place.stage.open() as staged:
        parts = write_parts(staged, sent)
        entry = bare_entry(place, sent, parts, None)._replace(status=status, code=code)
        return quarantine.keep(place.ledger, place.data, staged, entry, parts, "what is wrong with it")


def refuse_at_last(place: Place, sent: Sent, status: Status = Status.REFUSED) -> None:
    """Set a delivery aside beside others who do the same; who waits for too long is answered 503, and sends again."""
    deadline = time.monotonic() + 60
    while True:
        try:
            refuse(place, sent, status)
        except Problem:
            if time.monotonic() > deadline:
                raise
        else:
            return
