"""Values that mean something elsewhere come back out of every record as the data they were."""

import csv
import io
import json
import re
from xml.etree import ElementTree

import hl7
import pytest

from .cases.building import FILE_NAME
from .cases.json import VALUES, metadata, of

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would calculate: a guard comes before it
LINE_BREAK = re.compile("\r\n|[\r\n\u2028\u2029]")  # HL7 has one kind, and no tab


@pytest.mark.parametrize("what", VALUES)
def test_a_value_comes_back_out_of_every_format(hostile, what):
    value = VALUES[what]
    answer = hostile.request(of(metadata(f"read-back-{what}", value)))
    assert answer.status == 200
    records = {record["path"].rpartition(".")[2]: record["path"] for record in answer.json["records"]}
    json_, xml, csv_, hl7_ = (
        (hostile.output / records[form]).read_bytes().decode() for form in ("json", "xml", "csv", "hl7")
    )

    document = json.loads(json_)
    assert (document["remark"], document["quoted"]) == (value, f"<{value}>")

    scan = ElementTree.fromstring(xml)
    assert (scan.findtext("remark"), scan.get("remark")) == (value, value)
    assert [element.tag for element in scan.iter()] == ["scan", "remark", "filename"]

    header, row = csv.reader(io.StringIO(csv_, newline=""))
    guard = "'" if value.startswith(FORMULA) else ""
    assert (header, row) == (["remark", "filename"], [guard + value, FILE_NAME])

    message = hl7.parse(hl7_.replace("\r\n", "\r").replace("\n", "\r"))
    assert [str(segment[0]) for segment in message] == ["MSH", "NTE", "NTE"]
    assert message.unescape(str(message[1][3])) == LINE_BREAK.sub("\r", value).replace("\t", " ")
