"""What the corpus does not show: what is no fault, and what depends on more than a file."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from tests.authoring.check.corpus_of_faults import SOUND, faults_of, told

SR = "schemas/referrals.fields.schema.json"
RP = "mappings/referrals/process.toml"
HL = "mappings/referrals/note.hl7.j2"
JT = "mappings/referrals/referral.json.j2"


@pytest.fixture
def site(tmp_path):
    return Site(Path(shutil.copytree(SOUND, tmp_path / "site")))


class Site:
    def __init__(self, root):
        self.root = root

    def change(self, file, old, new):
        text = (self.root / file).read_text()
        assert old in text
        (self.root / file).write_text(text.replace(old, new, 1))

    def write(self, file, text):
        (self.root / file).parent.mkdir(parents=True, exist_ok=True)
        (self.root / file).write_text(text)

    def faults(self, **settings):
        return told(faults_of(self.root, **settings))

    def codes(self):
        return {line.split()[1] for line in self.faults()}


def test_faults_of_several_kinds_are_told_in_one_run(site):
    site.change(HL, "| hl7_ts", "| hl7ts")
    site.change(JT, "{{ fields.mrn }}", "{{ fields.mnr }}")
    site.change("schemas/report.xsd", 'type="xs:date"', 'type="xs:day"')
    site.change("mappings/lab-reports/process.toml", '"30d"', '"1 month"')
    site.change("mappings/lab-reports/log.csv.j2", '"%m/%d/%Y"', '"%m/%d/%Y"] ')
    assert site.faults() == [
        "mappings/lab-reports/log.csv.j2:2 template-syntax",
        "mappings/lab-reports/process.toml:37 bad-duration",
        f"{HL}:2 unknown-filter",
        f"{JT}:3 unknown-field",
        "schemas/report.xsd:7 invalid-schema",
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('template = "report.xml.j2"', "template = 7"),
        ('role = "metadata"', 'role = "data"'),
        ('schema = "lab.xsd"', 'schema = "lab"'),
        ("[[records]]", "[records]"),
        ('types = ["application/pdf"]', 'types = ["application/pdf", "PDF"]'),
        ("[retention]", "[retentions]"),
        ("[auth]", "[authority]"),
        ('title = "Laboratory reports"', "title = [1, {a = 2}]"),
    ],
)
def test_a_faulty_process_toml_never_breaks_the_check(site, old, new):
    site.change("mappings/lab-reports/process.toml", old, new)
    site.change(HL, "| hl7_ts", "| hl7ts")
    assert {f"{HL}:2 unknown-filter"} < set(site.faults())


@pytest.mark.parametrize(
    "reading",
    [
        '{{ fields.phone | default("") }}',
        "{% if fields.phone is defined %}{{ fields.phone }}{% endif %}",
        '{% if "phone" in fields %}{{ fields.phone }}{% endif %}',
        '{{ fields.phone if fields.phone is defined else "" }}',
        '{{ fields["phone"] | d("") }}',
        "{% if fields.phone is undefined %}{% else %}{{ fields.phone }}{% endif %}",
    ],
)
def test_a_guarded_field_is_no_fault(site, reading):
    site.change(HL, "EVN|T02|{{ received }}", f"EVN|T02|{{{{ received }}}}||{reading}")
    assert site.faults() == []


@pytest.mark.parametrize(
    ("rule", "faults"),
    [
        ({"required": ["phone"]}, set()),
        ({"allOf": [{"$ref": "#/$defs/callable"}]}, set()),
        ({"anyOf": [{"required": ["phone"]}, {"required": ["phone", "mrn"]}]}, set()),
        ({"anyOf": [{"required": ["phone"]}, {"required": ["mrn"]}]}, {"unguarded-field"}),
        ({"if": {}, "then": {"required": ["phone"]}, "else": {"required": ["phone"]}}, set()),
        ({"if": {}, "then": {"required": ["phone"]}}, {"unguarded-field"}),
    ],
)
def test_a_field_is_required_wherever_the_schema_says_so(site, rule, faults):
    schema = json.loads((site.root / SR).read_text()) | {"$defs": {"callable": {"required": ["phone"]}}}
    schema["required"] = [*schema["required"], *rule.pop("required", [])]
    site.write(SR, json.dumps(schema | rule))
    site.change(HL, "EVN|T02|{{ received }}", "EVN|T02|{{ received }}||{{ fields.phone }}")
    assert site.codes() == faults


def test_fields_known_by_a_pattern_are_known(site):
    site.change(SR, '"properties": {', '"patternProperties": { "^extra_": { "type": "string" } },\n  "properties": {')
    site.change(HL, "EVN|T02|{{ received }}", 'EVN|T02|{{ received }}||{{ fields.extra_note | default("") }}')
    assert site.faults() == []


def test_a_field_of_a_closed_schema_that_is_only_tested_is_a_warning(site):
    site.change("mappings/lab-reports/report.xml.j2", "fields.laboratory is defined", "fields.labor is defined")
    found = {(fault.code, fault.severity) for fault in faults_of(site.root)}
    assert found == {("unknown-field", "warning"), ("unguarded-field", "warning")}


def test_no_field_is_unread_where_a_template_goes_through_all(site):
    site.change(SR, '"phone":', '"fax": { "type": "string" },\n    "phone":')
    assert site.faults() == [f"{SR}:10 unread-field"]
    site.change(HL, "EVN|T02|{{ received }}", "EVN|T02|{{ received }}||{% for name in fields %}{{ name }} {% endfor %}")
    assert site.faults() == []


def test_a_closed_schema_without_a_field_makes_reading_it_an_error(site):
    site.change("mappings/lab-reports/log.csv.j2", "{{ fields.mrn }}", "{{ fields.mnr }}")
    assert [fault.severity for fault in faults_of(site.root)] == ["error"]


@pytest.mark.parametrize(
    "path",
    [
        "{{ delivery.source_id }}-{{ delivery.version }}.hl7",
        "{% if fields.mrn %}a-{{ delivery.id }}{% else %}b-{{ delivery.id }}{% endif %}.hl7",
        "{{ delivery.id | lower }}.hl7",
        "{{ 'a-' ~ delivery.id }}.hl7",
        "{{ delivery.received_at.year }}/{{ delivery.id }}.hl7",
    ],
)
def test_a_path_with_a_whole_id_is_unique(site, path):
    site.change(RP, 'path = "{{ delivery.id }}.hl7"', f'path = "{path}"')
    assert site.faults() == []


@pytest.mark.parametrize(
    "path",
    [
        "{{ delivery.source_id }}.hl7",
        "{% if fields.mrn %}{{ delivery.id }}{% endif %}a.hl7",
        "{{ delivery.id | truncate(4) }}.hl7",
        "{{ delivery.id if fields.mrn else 'x' }}.hl7",
    ],
)
def test_a_path_that_may_come_again_is_a_warning(site, path):
    site.change(RP, 'path = "{{ delivery.id }}.hl7"', f'path = "{path}"')
    assert site.codes() == {"path-not-unique"}


def test_a_source_id_that_comes_once_is_unique(site):
    site.change(RP, 'path = "{{ delivery.id }}.hl7"', 'path = "{{ delivery.source_id }}.hl7"')
    site.change(RP, 'same_source_id = "publish"', 'same_source_id = "refuse"')
    assert site.faults() == []


def test_what_a_table_gives_may_stand_in_a_path(site):
    path = 'path = \'{{ fields.mrn | lookup("clinics", default="x") }}/{{ delivery.id }}.hl7\''
    site.change(RP, 'path = "{{ delivery.id }}.hl7"', path)
    assert site.faults() == []


def test_metadata_in_a_path_tells_a_value(site):
    site.change(RP, 'path = "{{ delivery.id }}.hl7"', 'path = "{{ metadata.sourceId }}-{{ delivery.id }}.hl7"')
    assert site.codes() == {"path-tells-value"}


def test_a_part_larger_than_a_request_depends_on_the_settings(site):
    assert site.faults(max_body="100 MB") == [f"{RP}:13 size-unreachable"]


def test_a_private_media_type_is_no_misspelling(site):
    site.change(RP, '"image/tiff"', '"image/tiff", "image/x-tiff", "application/vnd.example+zip"')
    assert site.faults() == []


@pytest.mark.parametrize("folder", ["var/quarantine", "var", "mappings/referrals/out"])
def test_the_programs_own_folders_are_no_output(site, folder):
    site.change(RP, 'directory = "referrals"', f'directory = "{site.root / folder}"')
    assert f"{RP}:46 output-reserved" in site.faults()


def test_an_output_on_another_file_system_is_told(site):
    elsewhere = Path("/dev/shm")  # nothing is written there
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == site.root.stat().st_dev:
        pytest.skip("one file system only")
    site.change(RP, 'directory = "referrals"', f'directory = "{elsewhere}/receiver-output"')
    assert site.faults() == [f"{RP}:46 stage-elsewhere"]


def test_hl7_without_its_library_is_told_with_what_to_install(site, monkeypatch):
    monkeypatch.setattr("receiver.formats.hl7.check.available", lambda: False)
    [fault] = faults_of(site.root)
    assert (fault.code, fault.line, fault.hint) == ("missing-extra", 54, "pip install 'receiver[hl7]'")


def test_a_sample_without_expected_records_is_told(site):
    shutil.rmtree(site.root / "mappings/lab-reports/samples/one-report/expected")
    assert site.faults() == ["mappings/lab-reports/samples/one-report:1 sample-unproven"]


def test_a_sample_without_metadata_is_told(site):
    folder = site.root / "mappings/referrals/samples/one-fax"
    (folder / "metadata.json").rename(folder / "index.txt")
    assert site.faults() == ["mappings/referrals/samples/one-fax:1 sample-without-metadata"]


def test_a_captured_request_is_judged_at_its_own_lines(site):
    folder = site.root / "mappings/referrals/samples/captured"
    shutil.copytree(site.root / "mappings/referrals/samples/one-fax", folder)
    content = (folder / "metadata.json").read_bytes().replace(b"0012345", b"12-345")
    (folder / "metadata.json").unlink()
    body = b'--b\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n' + content + b"\r\n--b--\r\n"
    head = b"POST / HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n"
    (folder / "request.http").write_bytes(head + body)
    captured = "mappings/referrals/samples/captured"  # which lacks its document, too
    assert site.faults() == [f"{captured}:1 sample-refused", f"{captured}/request.http:10 sample-rejected"]


def test_values_of_samples_are_not_repeated(site):
    site.change("mappings/referrals/samples/one-fax/metadata.json", "0012345", "an-invented-value")
    [fault] = faults_of(site.root)
    assert "an-invented-value" not in str(fault)


def test_what_is_unused_is_not_told_while_something_does_not_compile(site):
    site.write("schemas/old.schema.json", "{}")
    assert site.faults() == ["schemas/old.schema.json:1 unused-schema"]
    site.change(HL, "| hl7_ts", "| hl7ts")
    assert site.codes() == {"unknown-filter"}


def test_a_folder_of_a_standard_may_hold_schemas_that_are_not_used(site):
    for name in ("used", "unused"):
        site.write(f"schemas/standard/{name}.schema.json", "{}")
    assert site.faults() == [f"schemas/standard/{name}.schema.json:1 unused-schema" for name in ("unused", "used")]
    site.change(
        "schemas/referrals.fields.schema.json",
        '"type": "object"',
        '"type": "object", "allOf": [{"$ref": "standard/used.schema.json"}]',
    )
    assert site.faults() == []


def test_an_unread_site_of_fifty_processes_is_checked_in_three_seconds(tmp_path):
    shutil.copytree(SOUND / "schemas", tmp_path / "schemas")
    for number in range(50):
        folder = tmp_path / "mappings" / f"process-{number}"
        shutil.copytree(SOUND / "mappings" / "referrals", folder)
        toml = (folder / "process.toml").read_text().replace('directory = "referrals"', f'directory = "{number}"')
        toml = toml.replace('host = "referrals.example.org"\ndefault = true', f'host = "h{number}.example.org"')
        (folder / "process.toml").write_text(toml)
    began = time.process_time()
    found = faults_of(tmp_path)
    took = time.process_time() - began
    assert [fault.code for fault in found] == ["unused-schema"] * 4
    assert took < 3 * max(1, os.getloadavg()[0] / (os.cpu_count() or 1))  # processor time grows where cores are shared


@pytest.mark.parametrize(
    ("path", "replaced"),
    [
        ("{{ delivery.id }}.{{ document.type }}", True),
        ("{{ delivery.id }}{{ document.type | lower }}", True),
        ("{{ delivery.id }}{{ '.pdf' if document.type == 'application/pdf' else '.tif' }}", False),
        ("{{ delivery.received_at | date('iso', '%m/%d/%Y') }} {{ delivery.id }}", True),
        ("{{ delivery.received_at | date('iso', '%Y/%m/%d') | replace('/', '-') }} {{ delivery.id }}", False),
        ("{{ delivery.received_at | date('iso', '%Y-%m-%d') }} {{ delivery.id }}", False),
    ],
)
def test_a_path_tells_of_characters_that_a_name_loses(site, path, replaced):
    site.change("mappings/referrals/process.toml", "{{ delivery.id }}{{ document.suffix }}", path)
    assert ("path-replaced" in site.codes()) is replaced


def test_metadata_may_be_taken_under_types_of_both_forms(site):
    site.change(RP, 'types = ["application/json"]', 'types = ["application/json", "text/xml"]')
    assert "type-misfit" not in site.codes()


def test_a_scale_of_percent_is_doubted_if_no_sample_is_surer_than_one(site):
    site.change(RP, 'each = "fields"', 'each = "fields"\nscale = 100')
    metadata = site.root / "mappings/referrals/samples/one-fax/metadata.json"
    metadata.write_text(metadata.read_text().replace("0.99", "1"))
    assert "scale-misfit" in site.codes()
    metadata.write_text(metadata.read_text().replace('"confidence": 1', '"confidence": 99'))
    assert "scale-misfit" not in site.codes()


def test_examples_are_judged_whatever_their_field_is_called(site):
    names = ["Patient Name", "Größe", "100%", "a%20b", "a/b~c", "a#b", "[0]", "x" * 70]
    fields = "".join(f'"{name}": {{ "type": "string", "examples": [5] }},\n' for name in names)
    site.change(SR, '"properties": {', '"properties": {\n' + fields)
    assert len([line for line in site.faults() if line.endswith("example-rejected")]) == len(names)
