"""Made-up bodies and metadata: each is answered as docs/openapi.json has it. `make fuzz` sends 100,000 of them."""

import json
import os
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from receiver.core.problems import Problem
from receiver.delivery import form
from tests.support.running import Service

from . import made_up
from .cases import TABLE
from .cases.building import (
    BOUNDARY,
    FORMS,
    PLANTED,
    SCANS,
    TIFF,
    chunked,
    delivery,
    file,
    request,
    section,
)
from .conftest import SITE, TALKATIVE
from .documented import faults, operation
from .outside import Outside

EXAMPLES = -(-int(os.environ.get("FUZZ", "300")) // 3)  # of each kind
FAST = Path("/dev/shm")  # the long run is about answers, not about the disk
KIND = f"multipart/form-data; boundary={BOUNDARY}"

fuzz = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="FUZZ" not in os.environ,  # a short run that fails for one fails for all
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    base = FAST if FAST.is_dir() else tmp_path_factory.getbasetemp()
    with tempfile.TemporaryDirectory(prefix="receiver-fuzz-", dir=base) as folder:
        service = Service(Path(folder) / "data", SITE, options=TALKATIVE).start()
        sender = Outside(service)
        try:
            yield sender
        finally:
            sender.hang_up()
            service.stop(signal.SIGQUIT)


def judged(outside: Outside, raw: bytes, path: str) -> None:
    answer = outside.ask(raw)
    assert answer.status < 500, answer.body
    assert faults(operation("POST", path), answer) == []
    if answer.status != 200:  # a receipt has the sourceId, which may be anything
        assert not any(planted in json.dumps(answer.json) for planted in PLANTED)


@fuzz
@given(made_up.BODIES, st.sampled_from([SCANS, FORMS]), st.none() | st.integers(1, 400))
def test_any_body_is_answered(outside, content, path, size):
    """Whole, or in chunks of a size."""
    if size is None:
        judged(outside, request(content, path=path), path)
    else:
        chunks = [content[start : start + size] for start in range(0, len(content), size)]
        judged(outside, chunked(*chunks, path=path), path)


@fuzz
@given(made_up.json_texts())
def test_any_json_metadata_is_answered(outside, content):
    judged(outside, delivery(file(TIFF[:8]), section("metadata", content, "application/json")), SCANS)


@fuzz
@given(made_up.xml_texts())
def test_any_xml_metadata_is_answered(outside, content):
    judged(outside, delivery(file(TIFF[:8]), section("metadata", content, "application/xml"), path=FORMS), FORMS)


def test_none_of_them_left_anything_or_was_told_of(outside):
    assert outside.answered.total() >= 3 * EXAMPLES
    assert outside.left == outside.strangers() == []
    log = outside.service.log.read_bytes()
    assert [planted for planted in PLANTED if planted.encode() in log] == []
    assert log.count(b" refused ") > EXAMPLES
    assert not any(word in log for word in (b"Traceback", b"defect", b" ERROR ", b"[CRITICAL]"))
    print(f"{outside.answered.total()} requests, the longest took {1000 * outside.longest:.0f} ms: {outside.answered}")


class Pieces:
    """A body that arrives in pieces of these sizes, over and over."""

    def __init__(self, content: bytes, sizes: list[int]) -> None:
        self.content, self.sizes, self.turn = content, sizes, 0

    def read(self, _size: int) -> bytes:
        size = self.sizes[self.turn % len(self.sizes)]
        self.turn += 1
        piece, self.content = self.content[:size], self.content[size:]
        return piece


def read(content: bytes, sizes: list[int]) -> object:
    try:
        return [
            (each, b"".join(each.content))  # type: ignore[arg-type]
            for each in form.sections(Pieces(content, sizes), KIND, len(content), 10**6)
        ]
    except Problem as problem:
        return problem.code, problem.detail


@fuzz
@given(made_up.BODIES, st.lists(st.integers(1, 9) | st.integers(1, 200), min_size=1, max_size=6))
def test_no_answer_depends_on_how_a_body_was_cut(content, sizes):
    assert read(content, sizes) == read(content, [10**6])


@pytest.mark.parametrize("group", [group for group in TABLE if group.startswith("The")])
def test_no_row_of_the_table_depends_on_how_its_body_was_cut(group):
    for case in TABLE[group]:
        _, _, content = case.raw.partition(b"\r\n\r\n")
        if len(content) < 5_000:
            assert read(content, [1]) == read(content, [2, 3]) == read(content, [10**6]), case.input
