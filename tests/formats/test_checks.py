"""A record that is not as its target wants it: every fault with its line and field, and never a value."""

import copy
import json

import pytest

from receiver.formats.checking import checker
from receiver.schemas.folder import Schemas

SECRET = "Xavier-Secret"


@pytest.fixture
def schemas(tmp_path):
    folder = tmp_path / "schemas"
    folder.mkdir()
    schema = {
        "type": "object",
        "required": ["id"],
        "properties": {
            "patients": {"type": "array", "items": {"properties": {"born": {"type": "string", "format": "date"}}}},
            "a/b~c": {"type": "integer"},
        },
    }
    (folder / "target.json").write_text(json.dumps(schema))
    (folder / "target.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="form"><xs:complexType><xs:sequence>'
        '<xs:element name="born" type="xs:date" maxOccurs="unbounded"/></xs:sequence>'
        '<xs:attribute name="id" type="xs:int" use="required"/></xs:complexType></xs:element></xs:schema>'
    )
    return Schemas(folder, tmp_path)


def told(check, text: str) -> list[tuple[str, str]]:
    violations = check(text)
    assert SECRET not in str(violations)
    return [(violation.where, violation.rule) for violation in violations]


def test_json_is_told_by_line_and_pointer(schemas):
    check = checker("json", "utf-8", "target.json", schemas)
    record = f'{{\n  "patients": [\n    {{"born": "1964-02-20"}},\n    {{"born":\n "{SECRET}"}}\n  ],\n "a/b~c": "x"}}'
    assert sorted(told(check, record)) == [
        ("line 1, /", "required"),
        ("line 5, /patients/1/born", "format"),
        ("line 7, /a~1b~0c", "type"),
    ]
    assert told(check, '{"id": 1}') == []


@pytest.mark.parametrize(
    ("record", "where"),
    [
        (f'{{"id": 1,\n "x": "{SECRET}",\n}}', "line 3, column 1"),
        (f'{{"id": 1, "{SECRET}": 1\n "y": 2}}', "line 2, column 2"),
        ("", "line 1, column 1"),
    ],
)
def test_json_that_is_none_is_told_by_line_and_column(schemas, record, where):
    assert told(checker("json", "utf-8", None, schemas), record) == [(where, "well-formed")]


def test_xml_is_told_by_line_and_path(schemas):
    check = checker("xml", "utf-8", "target.xsd", schemas)
    record = f'<?xml version="1.0"?>\n<form\n id="{SECRET}">\n<born>1964-02-20</born>\n<born>{SECRET}</born>\n</form>'
    assert told(check, record) == [("line 2, /form/@id", "type"), ("line 5, /form/born[2]", "type")]
    assert told(check, '<form id="1"><born>1964-02-20</born></form>') == []


def test_xml_that_is_none_is_told_by_line_and_column(schemas):
    check = checker("xml", "utf-8", None, schemas)
    assert told(check, f"<form>\n<{SECRET}>\n</form>") == [("line 3, column 3", "well-formed")]
    assert told(check, "<!DOCTYPE form><form/>") == [("line 1, column 15", "well-formed")]


def test_xml_is_read_in_the_encoding_that_it_declares(schemas):
    record = '<?xml version="1.0" encoding="ISO-8859-1"?><form>Ã©</form>'  # its bytes could be UTF-8 as well
    assert told(checker("xml", "latin-1", None, schemas), record) == []


def test_csv_is_told_by_the_line_on_which_its_row_begins(schemas):
    check = checker("csv", "utf-8", None, schemas)
    assert told(check, 'a,b\r\n"x\r\ny",2\r\n1,2,3\r\n') == [("line 4", "well-formed")]
    assert told(check, f'a,b\r\n"{SECRET},2\r\n') == [("line 2", "well-formed")]
    assert told(check, 'a,b\r\n"x\r\ny",2\r\n') == []
    assert told(check, '"a,b\r\n') == [("line 1", "well-formed")]
    assert told(check, 'a,b\r\n"x"y,2\r\n') == [("line 2", "well-formed")]
    assert told(check, "a,b\r1,2\r") == []


MESSAGE = [
    r"MSH|^~\&|A|B|C|D|20261123081121||MDM^T02^MDM_T02|1|P|2.5.1",
    "EVN|T02|20261123081121",
    "PID|1||142637A^^^CLINIC^MR||Example^Ada",
    "PV1|1|O",
    "TXA|1|CN|IM|||||||||1^RECEIVER|||||DO",
    "OBX|1|TX|57133-1^Referral note^LN||note||||||F",
]


def message(**changed: str | None) -> str:
    """Return the message with some segments in other words, or left away."""
    lines = [changed.get(line[:3], line) for line in MESSAGE]
    return "".join(f"{line}\r" for line in lines if line is not None)


@pytest.mark.parametrize(
    ("changed", "faults"),
    [
        ({}, []),
        ({"TXA": None}, [("line 5", "required")]),
        ({"TXA": f"TXA|1||IM|||||||||{SECRET}"}, [("line 5, TXA-2", "required"), ("line 5, TXA-17", "required")]),
        ({"PID": f"PID|1||||{SECRET}"}, [("line 3, PID-3", "required")]),
        ({"PV1": "PV1|1|O\rPV1|2|O"}, [("line 5", "structure")]),
        ({"PV1": f"PV1|1|O|a^b^c^d^e^f^g^h^i^j^k^{SECRET}"}, [("line 4, PV1-3", "structure")]),
        ({"PV1": f"XYZ|1|{SECRET}"}, [("line 4", "structure"), ("line 4", "structure")]),
        ({"PID": f"PID|1||{SECRET}^^^CLINIC^MR||a~b\rZPI|{SECRET}"}, []),
        ({"MSH": MESSAGE[0].replace("2.5.1", "9.9")}, [("line 1", "structure")]),
        ({"MSH": MESSAGE[0].replace("|P|", "||")}, [("line 1, MSH-11", "required")]),
        ({"EVN": "EVNT02"}, [("line 2", "well-formed")]),
    ],
)
def test_hl7_is_told_by_line_and_field(schemas, changed, faults):
    assert told(checker("hl7", "utf-8", "hl7", schemas), message(**changed)) == faults


def test_segments_that_do_not_begin_as_such_are_told(schemas):
    check = checker("hl7", "utf-8", None, schemas)
    assert told(check, "PID|1\r") == told(check, "PID|1|234567\r") == [("line 1", "well-formed")]
    assert told(check, "MSH|^~\\") == [("line 1", "well-formed")]
    assert told(check, "MSH|^~\\&") == []
    assert told(check, message(TXA=None)) == []
    segments = [r"MSH|^~\&|A", "PID", "PI", "EVN|1", f"pid|{SECRET}", "EVN^1", "EVN|2", "PI", ""]
    assert told(check, "\r".join(segments)) == [(f"line {number}", "well-formed") for number in (3, 5, 6, 8)]


def bundle(change=None) -> str:
    resource = {
        "resourceType": "DocumentReference",
        "status": "current",
        "contained": [
            {"resourceType": "Patient", "id": "p", "birthDate": "1964-02-20", "name": [{"given": ["A", "B"]}]}
        ],
        "subject": {"reference": "#p"},
        "content": [{"attachment": {"contentType": "application/pdf", "data": "JVBERi0xLjQK"}}],
    }
    entry = {"resource": resource, "request": {"method": "POST", "url": "DocumentReference"}}
    whole = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    whole = copy.deepcopy(whole)
    if change:
        change(whole, whole["entry"][0]["resource"])
    return json.dumps(whole, indent=1)


@pytest.mark.parametrize(
    ("change", "where", "rule"),
    [
        (lambda _, resource: resource.pop("status"), "/entry/0/resource/status", "required"),
        (lambda _, resource: resource.pop("content"), "/entry/0/resource/content", "required"),
        (lambda _, resource: resource.update(mrn=SECRET), "/entry/0/resource/mrn", "unknown"),
        (lambda _, resource: resource.update(status=SECRET), "/entry/0/resource/status", "code"),
        (lambda _, resource: resource.update(description=7), "/entry/0/resource/description", "type"),
        (lambda _, resource: resource.update(description=""), "/entry/0/resource/description", "empty"),
        (lambda _, resource: resource.update(category=[]), "/entry/0/resource/category", "empty"),
        (lambda _, resource: resource.update(date="2018-10-07T10:45"), "/entry/0/resource/date", "type"),
        (
            lambda _, resource: resource["contained"][0].update(birthDate="02/20/1964"),
            "/entry/0/resource/contained/0/birthDate",
            "type",
        ),
        (
            lambda _, resource: resource["contained"][0].update(birthDate=None),
            "/entry/0/resource/contained/0/birthDate",
            "empty",
        ),
        (
            lambda _, resource: resource["contained"][0].update(gender="F"),
            "/entry/0/resource/contained/0/gender",
            "code",
        ),
        (lambda _, resource: resource.update(resourceType=SECRET), "/entry/0/resource/resourceType", "type"),
        (lambda whole, _: whole.update(type=SECRET), "/type", "code"),
        (lambda whole, _: whole["entry"][0]["request"].pop("method"), "/entry/0/request/method", "required"),
        (lambda whole, _: whole.pop("resourceType"), "/resourceType", "type"),
    ],
)
def test_fhir_is_told_by_line_and_element(schemas, change, where, rule):
    ((found, broken),) = told(checker("json", "utf-8", "fhir", schemas), bundle(change))
    line, _, pointer = found.partition(", ")
    assert (pointer, broken) == (where, rule)
    name = where.rpartition("/")[2]
    shown = bundle(change).splitlines()[int(line.removeprefix("line ")) - 1]
    assert f'"{name}"' in shown or rule == "required" or name == "resourceType"


def test_fhir_that_is_right_has_no_fault(schemas):
    check = checker("json", "utf-8", "fhir", schemas)
    assert told(check, bundle()) == []
    assert told(check, '{"resourceType": "Observation", "status": "amended", "code": {"text": "x"}}') == []
    assert told(check, '["x"]') == [("line 1, /resourceType", "type")]


def test_text_has_nothing_to_check(schemas):
    assert told(checker("text", "utf-8", None, schemas), "anything\r\n") == []


def test_a_record_is_read_in_its_own_encoding(schemas):
    check = checker("xml", "iso-8859-1", None, schemas)
    assert told(check, '<?xml version="1.0" encoding="iso-8859-1"?>\n<form>Zoë</form>') == []
    assert told(check, "<form>Zoë</form>") == [("line 1, column 9", "well-formed")]


def test_csv_is_read_by_its_own_delimiter(schemas):
    check = checker("csv", "utf-8", None, schemas, ";")
    assert check("a;b\r\n1,2;3\r\n") == ()
    assert [violation.where for violation in check("a;b\r\n1;2;3\r\n")] == ["line 2"]
