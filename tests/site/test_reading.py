"""What a sound process.toml becomes."""

from datetime import timedelta
from pathlib import Path

import pytest

from receiver.core.delivery import Role
from receiver.core.faults import ConfigurationError
from receiver.site.config.model import (
    AuthConfig,
    ConfidenceConfig,
    DeliveryConfig,
    FieldsConfig,
    MetadataConfig,
    NotifyConfig,
    OutputConfig,
    PartConfig,
    RecordConfig,
    RetentionConfig,
    RouteConfig,
)
from tests.support.site_of import SMALLEST, configured

EVERY_KEY = (Path(__file__).parent / "every-key.toml").read_text()
DIGEST = "sha256:" + "0a" * 32


def test_every_key_is_read(tmp_path):
    toml = EVERY_KEY.replace("sha256:…", DIGEST).replace('"target.schema.json"', '"hl7"')
    config = configured(tmp_path, "referrals", toml)
    assert config.name == "referrals"
    assert config.title == "Referral intake"
    assert config.auth == AuthConfig(("env:REFERRALS_TOKEN", DIGEST), open=False)
    assert config.route == RouteConfig("referrals.example.org", default=True)
    assert config.parts == (
        PartConfig(
            "file",
            Role.DOCUMENT,
            ("image/tiff", "application/pdf"),
            200_000_000,
            required=True,
            many=False,
            scan="clamd:/run/clamav/clamd.ctl",
        ),
        PartConfig("metadata", Role.METADATA, (), 1_000_000, required=True, many=False),
        PartConfig("page_*", Role.DOCUMENT, (), None, required=False, many=True),
    )
    assert config.metadata == MetadataConfig("nextstep-metadata.schema.json", "sourceId")
    assert config.fields == FieldsConfig(
        each="fields",
        name="name",
        value="value",
        confidence="confidence",
        scale=1,
        schema="referrals.fields.schema.json",
        repeated=("diagnosis_code",),
        aliases={"dob": "patient_dob"},
    )
    assert config.confidence == ConfidenceConfig(0.8, {"mrn": 0.95}, "publish", four_eyes=True)
    assert config.delivery == DeliveryConfig("refuse", "publish", "refuse")
    documents, marker = "{{ delivery.id }}{{ document.suffix }}", "{{ delivery.id }}.done"
    assert config.output == OutputConfig("referrals", documents, marker, "importers", True)
    path, when = "{{ delivery.id }}.hl7", "fields.mrn is defined"
    assert config.records == (RecordConfig("mdm_t02.hl7.j2", path, "hl7", when, "utf-8", "hl7"),)


def test_only_what_stands_for_something_else_is_refused_in_the_listing_of_every_key(tmp_path):
    with pytest.raises(ConfigurationError) as raised:
        configured(tmp_path, "referrals", EVERY_KEY)
    assert [fault.code for fault in raised.value.faults] == ["token-plain", "schema-misfit"]


def test_a_few_lines_are_enough(tmp_path):
    config = configured(tmp_path, "lab-reports")
    assert config.title == "lab-reports"
    assert config.route == RouteConfig(host=None, default=False)
    assert config.parts[0] == PartConfig("file", Role.DOCUMENT, (), None, required=True, many=False)
    assert config.parts[1].max_size == 1_000_000
    assert config.fields == FieldsConfig("fields", "name", "value", "confidence", 1, None, (), {})
    assert config.confidence == ConfidenceConfig(0, {}, "publish")
    assert config.delivery == DeliveryConfig("refuse", "publish", "refuse")
    assert config.output == OutputConfig("lab-reports", "{{ delivery.id }}{{ document.suffix }}", None)
    assert config.records == ()
    assert config.retention == RetentionConfig(None, None, 10**10, None)


def test_xml_metadata_has_paths_of_its_own(tmp_path):
    config = configured(tmp_path, "lab-reports", SMALLEST.replace("schema.json", "xsd") + '[fields]\nname = "@id"\n')
    assert config.metadata.form == "xml"
    assert (config.fields.each, config.fields.name, config.fields.value) == (".//field", "@id", ".")
    assert config.fields.confidence == "@confidence"


@pytest.mark.parametrize(
    ("template", "told"),
    [("a.hl7.j2", "hl7"), ("a.json.j2", "json"), ("a.xml", "xml"), ("a.csv.j2", "csv"), ("a.txt.j2", "text")],
)
def test_the_template_s_name_tells_the_record_s_format(template, told, tmp_path):
    toml = f'{SMALLEST}[[records]]\ntemplate = "{template}"\npath = "a"\n'
    assert configured(tmp_path, "referrals", toml).records[0].format == told


def test_a_written_format_goes_before_the_template_s_name(tmp_path):
    toml = f'{SMALLEST}[[records]]\ntemplate = "a.json.j2"\npath = "a"\nformat = "text"\n'
    assert configured(tmp_path, "referrals", toml).records[0].format == "text"


def test_retention_is_spans_of_time_and_a_size(tmp_path):
    toml = SMALLEST + '[retention]\noriginals = "12h"\nquarantine = "30d"\nquarantine_size = "2 GB"\nledger = "7y"\n'
    days = timedelta(days=1)
    kept = configured(tmp_path, "referrals", toml).retention
    assert kept == RetentionConfig(days / 2, 30 * days, 2 * 10**9, 7 * 366 * days)


def test_whoever_is_told_is_told_of_everything_unless_it_says_less(tmp_path):
    everything = frozenset({"refused", "held", "template", "silence", "space", "output", "ledger", "configuration"})
    nobody, told = (
        configured(tmp_path, name, SMALLEST + toml).notify
        for name, toml in (("a", ""), ("b", '[notify]\ncommand = ["/bin/true", "-"]\nsilence = "2d"\n'))
    )
    assert nobody == NotifyConfig(on=everything)
    assert not nobody.wanted
    assert told == NotifyConfig(("/bin/true", "-"), None, everything, 1, timedelta(days=2))
    assert told.wanted


def test_a_host_name_is_compared_in_lower_case(tmp_path):
    toml = SMALLEST + '[route]\nhost = "Fax.Example.ORG"\n'
    assert configured(tmp_path, "referrals", toml).route.host == "fax.example.org"


def test_brackets_that_enclose_nothing_are_no_glob(tmp_path):
    toml = SMALLEST.replace("[parts.file]", '[parts."files[]"]')
    assert configured(tmp_path, "referrals", toml).parts[0].name == "files[]"


def test_a_byte_order_mark_is_overlooked(tmp_path):
    assert configured(tmp_path, "referrals", b"\xef\xbb\xbf" + SMALLEST.encode()).name == "referrals"


def test_later_steps_place_their_faults_in_the_file(tmp_path):
    toml = SMALLEST + '[[records]]\ntemplate = "a.hl7.j2"\npath = "a"\n'
    config = configured(tmp_path, "referrals", toml)
    assert config.position("records", 0, "template") == (11, 12)
    assert config.position("records", 0, "template", key=True) == (11, 1)
    assert config.position("records", 0, "when") == (10, 3)
    fault = config.fault("no-template", "there is no such file", "records", 0, "template", hint="write one")
    assert str(fault) == "mappings/referrals/process.toml:11:12: no-template there is no such file (write one)"
