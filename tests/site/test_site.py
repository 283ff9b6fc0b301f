"""The shipped site: every sample becomes what stands beside it, and the other side's readers agree."""

import base64
import csv
import json
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
import xmlschema
from hl7apy.parser import parse_message
from hl7apy.validation import Validator

from receiver.authoring.cases.cases import Case, incoming
from receiver.authoring.cases.outcome import run
from receiver.authoring.cases.verdict import Status, Verdict, judge
from receiver.cli import VERBS
from receiver.core.settings import Settings
from receiver.site.compiling import compile_site, proven

ROOT = Path(__file__).parents[2]
OTHER_XML = ROOT / "tests" / "sites" / "other-xml"
ENVIRONMENT = {"RECEIVER_TOKEN": "a-token-for-the-tests-of-the-site"}

CASES = sorted(case for site in (ROOT, OTHER_XML) for case in site.glob("mappings/*/samples/*"))
RECORDS = sorted(ROOT.glob("mappings/*/samples/*/expected/*"))


def name(path):
    return str(path.relative_to(ROOT))


def settings(site):
    return Settings.from_environment({"RECEIVER_SITE": str(site)})


@cache
def processes(site):
    return proven(settings(site), ENVIRONMENT)


def process_of(case):
    site, folder = case.parents[3], case.parents[1]
    return processes(site)[folder.name]


@pytest.mark.parametrize("case", CASES, ids=name)
def test_a_sample_becomes_what_stands_beside_it(case):
    sample = Case(process_of(case), case)
    outcome = run(sample.process, incoming(sample, settings(ROOT).max_body))
    assert judge(sample, outcome) == Verdict(Status.OK)


def test_the_shipped_site_has_no_fault():
    assert compile_site(settings(ROOT), ENVIRONMENT)[1] == []


def test_without_its_token_the_start_says_what_to_set():
    faults = compile_site(settings(ROOT), {})[1]
    assert len(faults) == 3
    assert all("RECEIVER_TOKEN" in str(fault) for fault in faults)


def test_every_process_has_a_sample_that_is_refused_or_held():
    refused = {path.parents[3].name for path in RECORDS if path.name == "problem.json"}
    assert refused == set(processes(ROOT))


# The readers below are not the receiver's own: they stand for the systems that import the records.

DELIMITERS = {r"\F" + "\\": "|", r"\S" + "\\": "^", r"\R" + "\\": "~", r"\T" + "\\": "&", r"\E" + "\\": "\\"}


def unescaped(text):
    return re.sub(r"\\[FSRTE]\\", lambda found: DELIMITERS[found[0]], text)


def records(suffix):
    found = [path for path in RECORDS if path.suffix == suffix]
    return pytest.mark.parametrize("path", found, ids=name)


def record(case, suffix):
    (path,) = (ROOT / "mappings" / case / "expected").glob(f"*{suffix}")
    return path


def values(case):
    """Return the field values of a sample's JSON metadata, in their order, without any of the receiver's code."""
    metadata = json.loads((ROOT / "mappings" / case / "metadata.json").read_text("utf-8"))
    return {field["name"]: field["value"] for field in metadata["fields"]}


def hl7_fields(path):
    """Return the segments of a message by name, each as its fields; MSH counts from its separator."""
    segments = path.read_bytes().decode("utf-8").split("\r")
    assert segments.pop() == ""
    return {segment[:3]: segment.split("|") for segment in segments}


@records(".hl7")
def test_hl7_messages_satisfy_the_standard(path):
    message = path.read_bytes().decode("utf-8")
    assert "\n" not in message
    assert Validator.validate(parse_message(message, find_groups=True))


@records(".hl7")
def test_hl7_control_ids_fit_their_field(path):
    assert hl7_fields(path)["MSH"][9] == path.stem
    assert len(path.stem) == 20


@records(".hl7")
def test_hl7_document_names_fit_their_field(path):
    assert len(hl7_fields(path).get("TXA", [""] * 17)[16]) <= 30  # HL7 v2.5.1 TXA-16


def test_a_name_full_of_hl7_delimiters_reads_back_as_it_was():
    case = "referrals/samples/noise-in-the-name"
    family, given, middle, *_ = hl7_fields(record(case, ".hl7"))["PID"][5].split("^")
    assert unescaped(f"{given} {middle} {family}") == values(case)["patient_name"]


def test_the_message_points_at_the_image_beside_it():
    case = "referrals/samples/faxed-letter"
    pointer, application, kind, subtype = hl7_fields(record(case, ".hl7"))["OBX"][5].split("^")
    assert (pointer, application, kind, subtype) == (
        record(case, ".hl7").with_suffix(".tif").name,
        "RECEIVER",
        "image",
        "tiff",
    )


def test_the_report_comes_out_of_the_message_as_it_went_in():
    case = "lab-reports/samples/lipid-panel"
    *_, encoding, data = hl7_fields(record(case, ".hl7"))["OBX"][5].split("^")
    assert encoding == "Base64"
    assert base64.b64decode(data, validate=True) == (ROOT / "mappings" / case / "file--letter.pdf").read_bytes()


@records(".csv")
def test_csv_rows_have_their_columns(path):
    with path.open(encoding="utf-8", newline="") as file:
        header, row = csv.reader(file, strict=True)
    assert len(row) == len(header) == len(set(header))
    assert path.read_bytes().count(b"\r\n") == 2


def test_a_formula_stays_text_in_a_spreadsheet():
    with record("lab-reports/samples/spreadsheet-formula", ".csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["test_name"] == """'=HYPERLINK("http://lab.example","Glucose")"""
    assert row["laboratory"] == 'Smith, Jones & "Partners"'


@records(".xml")
def test_xml_satisfies_its_schema(path):
    xmlschema.XMLSchema(ROOT / "schemas" / "intake-form.xsd").validate(path)


def test_xml_values_read_back_as_they_were():
    case = "intake-forms/samples/twenty-fields"
    sent = values(case)
    form = ElementTree.parse(record(case, ".xml")).getroot()
    within = {"": "urn:example:intake-form:1"}
    assert form.findtext("patient/name", None, within) == sent["patient_name"]
    assert form.findtext("insurance/memberId", None, within) == sent["insurance_member_id"]
    assert form.findtext("insurance/name", None, within) == sent["insurance_name"]
    assert form.findtext("reason", None, within) == sent["reason"]
    assert form.find("fax", within).get("csid") == sent["fax_csid"]
    assert [each.get("code") for each in form.iterfind("diagnoses/diagnosis", within)] == ["R06.09", "I10", "E11.9"]
    assert form.find("notes", within) is None


@records(".json")
def test_json_satisfies_its_schema(path):
    content = json.loads(path.read_text("utf-8"))
    if path.name != "problem.json":
        schema = json.loads((ROOT / "schemas" / "referral.schema.json").read_text("utf-8"))
        jsonschema.validate(content, schema, format_checker=jsonschema.FormatChecker())
        assert content["id"] == path.stem


def test_the_demonstration_ends_well():
    command = [sys.executable, ROOT / "demo" / "run.py", "--once"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "6 of 6 deliveries went as they should." in ended.stdout


README = (ROOT / "README.md").read_text("utf-8")


def test_the_table_of_verbs_has_every_verb_and_no_other():
    table = (ROOT / "docs" / "operations.md").read_text("utf-8").partition("## Verbs")[2]
    assert set(re.findall(r"^\| `receiver ([a-z]+)", table, re.MULTILINE)) == set(VERBS)


def test_the_readme_shows_the_record_that_its_delivery_becomes():
    timeless = (
        record("referrals/samples/faxed-letter", ".hl7").read_text("utf-8").replace("20260102030405+0000", "TIME")
    )
    shown = re.sub(r"\d{14}\+0000", "TIME", README)
    assert all(f"    {segment}\n" in shown for segment in timeless.splitlines())


def test_the_tutorial_shows_what_check_says_of_a_copied_process(tmp_path):
    for folder in ("mappings", "schemas"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copytree(tmp_path / "mappings" / "lab-reports", tmp_path / "mappings" / "pathology")
    (fault,) = compile_site(settings(tmp_path), ENVIRONMENT)[1]
    assert f"    {fault}\n" in (ROOT / "docs" / "authoring.md").read_text("utf-8")
