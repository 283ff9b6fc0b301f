"""Every record that ships, of both sites, is read by programs that are not the receiver: none is left out."""

import json
import re
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

import hl7
import jsonschema
import pytest
import xmlschema
from fhir.resources.R4B.bundle import Bundle
from hl7apy.parser import parse_message
from hl7apy.validation import Validator

from receiver.authoring.cases.cases import cases
from receiver.site.config.model import RecordConfig
from tests.shipped.readers import dip, fixed, rows, transaction
from tests.shipped.shipping import EXAMPLES, ROOT, processes

Shipped = tuple[Path, str, RecordConfig, Path]  # site, process, record, one file of it


AROUND = re.compile(r"^FHS[^\r]*\rBHS[^\r]*\r|BTS[^\r]*\rFTS[^\r]*\r$")  # the messages of a batch


def shipped() -> list[Shipped]:
    found = []
    for site in (ROOT, EXAMPLES):
        for process in processes(site).values():
            for record in process.config.records:
                of_batches = {batch.name: batch.path for batch in process.config.batches}
                pattern = f"*{PurePosixPath(record.path or of_batches[record.batch]).suffix}"
                files = [file for case in cases(process) for file in case.expected.glob(pattern)]
                found += [(site, process.name, record, file) for file in files if file.name != "problem.json"]
    return found


RECORDS = shipped()


def of(*formats: str, schema: str | None = None):
    chosen = [each for each in RECORDS if each[2].format in formats and schema in (None, each[2].schema)]
    assert chosen
    return pytest.mark.parametrize("shipped", chosen, ids=[f"{each[1]}/{each[3].name}" for each in chosen])


def test_each_record_of_each_process_is_among_them():
    configured = {(name, record.template) for site in (ROOT, EXAMPLES) for name, record in _configured(site)}
    assert {(process, record.template) for _, process, record, _ in RECORDS} == configured


def _configured(site: Path):
    for process in processes(site).values():
        yield from ((process.name, record) for record in process.config.records)


@of("hl7")
def test_a_message_is_valid_and_two_readers_find_the_same_in_it(shipped):
    text = AROUND.sub("", shipped[3].read_bytes().decode())
    assert shipped[2].schema == "hl7"
    assert Validator.validate(parse_message(text, find_groups=True))
    one, other = parse_message(text, find_groups=False), hl7.parse(text)
    assert [segment.name for segment in one.children] == [str(segment[0]) for segment in other]
    for segment, again in zip(one.children, other, strict=True):
        assert segment.to_er7() == re.sub(r"\^+(?=\||$)", "", str(again)).rstrip("|")  # empty components at an end


@of("xml")
def test_xml_satisfies_its_schema_and_another_reader_takes_it(shipped):
    site, _, record, path = shipped
    xmlschema.XMLSchema(site / "schemas" / record.schema).validate(path)
    assert ElementTree.parse(path).getroot().tag.startswith("{")


@of("json", schema="fhir")
def test_a_bundle_is_valid(shipped):
    assert Bundle.model_validate_json(shipped[3].read_bytes())


@of("json")
def test_json_satisfies_its_schema(shipped):
    site, _, record, path = shipped
    content = json.loads(path.read_bytes())
    if record.schema != "fhir":
        schema = json.loads((site / "schemas" / record.schema).read_text("utf-8"))
        jsonschema.validate(content, schema, format_checker=jsonschema.FormatChecker())


@of("csv")
def test_csv_has_a_value_or_none_for_each_column(shipped):
    _, _, record, path = shipped
    for row in rows(path.read_bytes(), record.delimiter or ","):
        assert None not in row
        assert None not in row.values()


TEXTS = {
    ("onbase-dip", "index.txt.j2"): lambda content: len(dip(content)),
    ("onbase-dip-batch", "index.txt.j2"): lambda content: len(dip(content)),
    ("fixed-width", "index.txt.j2"): lambda content: len(fixed(content)),
    ("filenet-batch", "transact.txt.j2"): lambda content: len(transaction(content)),
    ("filenet-transactions", "transact.txt.j2"): lambda content: len(transaction(content)),
    ("filenet-batch", "batch.txt.j2"): lambda content: int(content.decode().split(" ")[1]),
}


@of("text")
def test_lines_of_text_are_read_by_a_reader_of_their_own(shipped):
    _, process, record, path = shipped
    assert TEXTS[process, record.template](path.read_bytes()) == 1
