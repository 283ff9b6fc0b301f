"""What is looked for at the end of a run is found wherever it is told, and nothing else is."""

import json
from pathlib import Path

import pytest

from tests.support.planted import Run
from tests.support.running import multipart

VALUE = "Zoë O'Quokka"


def metadata(value: str, source_id: str = "doc-1") -> bytes:
    return json.dumps({"sourceId": source_id, "fields": [{"name": "patient_name", "value": value}]}).encode()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    for name in ("site", "libraries"):
        (tmp_path / name).mkdir()
    made = Run(tmp_path / "libraries")
    made.starts(tmp_path / "data.log", tmp_path / "site")
    return made


def tell(run: Run, text: str) -> None:
    [log] = run.logs
    log.write_text(f"2026-11-23T08:11:21.123Z INFO {text}\n")


@pytest.mark.parametrize("written", [VALUE, json.dumps(VALUE), repr(VALUE), f"x={VALUE},", "Zo\\u00eb O'Quokka"])
def test_a_value_that_a_log_tells_is_found_however_it_is_written(run, written):
    run.sent(multipart(("metadata", "m.json", "application/json", metadata(VALUE))))
    tell(run, f"refused {written} id=1")
    verdict = run.judged()
    assert verdict.failed
    assert verdict.found[0].startswith(repr(VALUE))
    assert str(verdict) == "1 values looked for in 1 logs, 0 pages of metrics and 0 notices (0.0 MB): 1 found"


@pytest.mark.parametrize(
    "told",
    [
        lambda run: run.stops(next(iter(run.logs)), f'receiver_deliveries_total{{process="{VALUE}"}} 1.0'),
        lambda run: run.noticed({"text": f"refused: {VALUE}"}),
        lambda run: run.libraries(next(iter(run.logs))).write_text(f"ValueError: {VALUE}"),
    ],
    ids=["metrics", "notice", "library"],
)
def test_it_is_found_in_metrics_notices_and_what_libraries_log(run, told):
    tell(run, "published")
    run.sent(metadata(VALUE))
    assert not run.judged().failed
    told(run)
    assert run.judged().failed


@pytest.mark.parametrize(
    "sent",
    [
        b'<delivery><field name="n">Zo\xc3\xab O\'Quokka</field></delivery>',
        b'<delivery><field name="n" value="Zo\xc3\xab O\'Quokka"/></delivery>',
        '{"values": ["Zoë O\'Quokka", "x"]}'.encode(),
        multipart(("file", "Zoë O'Quokka", "image/tiff", b"II*\0")),
    ],
)
def test_values_are_found_in_xml_and_lists_and_names_of_files(run, sent):
    tell(run, VALUE)
    run.sent(sent)
    assert len(run.judged().found) == 1


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("2026-11-23", "published"),  # the day in front of the line
        ("142637", "pid=142637"),  # any number
        ("142637A", "request=0142637Af"),  # within another word
        ("refused", "refused"),  # a word of our own
        ("doc-1", "no such doc-1"),  # shorter than six
        ("scan-of-a-document", "sourceId scan-of-a-document"),
    ],
)
def test_what_stands_in_a_log_by_itself_is_not_taken_for_a_value(run, value, line):
    run.sent(metadata(value, "scan-of-a-document") + metadata(VALUE))
    tell(run, line)
    assert not run.judged().failed


def test_what_a_site_is_configured_with_may_be_said(run, tmp_path):
    (tmp_path / "site" / "mappings" / "letters").mkdir(parents=True)
    (tmp_path / "site" / "mappings" / "letters" / "process.toml").write_text(f'title = "{VALUE}"')
    run.starts(next(iter(run.logs)), tmp_path / "site")
    run.sent(metadata(VALUE) + metadata("Another One"))
    tell(run, f"configured {VALUE}")
    assert not run.judged().failed


def test_a_run_with_a_service_and_nothing_to_look_at_has_failed(run, tmp_path):
    assert run.judged().failed  # nothing was said
    tell(run, "published")
    assert run.judged().failed  # nothing was sent
    run.sent(metadata(VALUE))
    assert not run.judged().failed
    assert not Run(tmp_path / "libraries").judged().failed  # no service ran
