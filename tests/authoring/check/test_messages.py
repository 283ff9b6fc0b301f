"""What a fault says to somebody who knows HL7 or CSV, and neither TOML nor Jinja: what is wrong, and what to write."""

import shutil
from pathlib import Path

import pytest

from tests.authoring.check.corpus_of_faults import SOUND, change, faults_of

TOML = "mappings/referrals/process.toml"
JSON = "mappings/referrals/referral.json.j2"
SYNTAX = [
    (TOML, "[[records]]", "[records]", "toml-syntax [records] is begun twice (write [[records]] each time"),
    (TOML, 'title = "', "title = “", ":9: toml-syntax “ is no quote of TOML (write straight quotes"),
    (JSON, "{{ delivery.id }}", "{{ delivery.id", ":9: template-syntax this {{ is not closed (write }} where it ends)"),
    (JSON, "{{ delivery.id }}", "{% if delivery.id", "template-syntax this {% is not closed (write %} where it ends)"),
    (JSON, "{{ delivery.id }}", "{{ 1 if delivery.id = 1 }}", "got '=' (write == to compare)"),
    (JSON, "{{ delivery.id }}", "{{ “x” }}", "unexpected char '“' (write straight quotes"),
    (JSON, "{{ delivery.id }}", "{% if delivery.id %}{% end if %}", 'no tag "end" here (write {% endif %})'),
    (JSON, "{{ delivery.id }}", '{{ "x" | date("YYYY-MM-DD HH:mm") }}', '(did you mean "%Y-%m-%d %H:%M"?)'),
    (JSON, "{{ delivery.id }}", '{{ "x" | date("DDth of M") }}', "no code such as %Y (%Y is a year"),
    (
        JSON,
        "{{ delivery.id }}",
        '{{ "x" | fixed }}',
        '(it is written fixed(width, align="left", fill=" "',
    ),
    (JSON, "{{ delivery.id }}", '{{ "x" | person("surname") }}', '(did you mean "family"?)'),
    (
        TOML,
        'format = "hl7"',
        'format = "HL7"',
        '"csv" or "text" (did you mean "hl7"?)',
    ),
    (TOML, 'source_id = "sourceId"', 'source_id = "$.sourceId"', "(write sourceId)"),
    (
        TOML,
        'source_id = "sourceId"',
        'source_id = "/document/source-id"',
        "write it in single quotes: 'document.\"source-id\"'",
    ),
    ("schemas/parts.json", '"type": "string"', '"type": “string”', ": not-json “ is no quote here (write straight"),
    ("schemas/parts.json", '"type": "string"', '"type": "text"', """: invalid-schema not a valid schema: 'text' is"""),
]


@pytest.fixture
def site(tmp_path):
    return Path(shutil.copytree(SOUND, tmp_path / "site"))


def lines(site: Path) -> list[str]:
    return [str(fault) for fault in faults_of(site)]


@pytest.mark.parametrize(("file", "old", "new", "said"), SYNTAX)
def test_what_does_not_even_parse_is_told_with_what_to_write(site, file, old, new, said):
    change(site / file, old, new)
    assert any(said in line for line in lines(site) if line.startswith(file)), lines(site)


def test_the_ending_of_a_schema_is_guessed(site):
    change(site / TOML, "fax.schema.json", "fax.xds")
    assert any(
        'metadata.schema = "fax.xds" is no schema for metadata (did you mean "fax.xsd"?)' in line
        for line in lines(site)
    )


def test_a_single_equals_sign_in_a_condition_is_told(site):
    change(site / TOML, "[[records]]\n", '[[records]]\nwhen = "fields.mrn = 1"\n')
    assert any("got '=' (write == to compare)" in line for line in lines(site))


def test_tags_in_comments_and_raw_text_are_not_called_open(site):
    change(site / JSON, "{{ delivery.id }}", "{# {{ #}{% raw %}{{{% endraw %}{{ delivery.id } }}")
    assert not any("is not closed" in line for line in lines(site))


def test_a_wrong_path_to_the_id_is_blamed_on_the_path_and_on_no_sample(site):
    change(site / TOML, 'source_id = "sourceId"', 'source_id = "sourceIdentity[0]"')
    found = [line for line in lines(site) if line.startswith("mappings/referrals")]
    assert [line.split()[1] for line in found] == ["unknown-path"]
    assert found[0].startswith(TOML)


def test_what_one_of_two_samples_lacks_is_blamed_on_that_sample_and_on_no_path(site):
    change(site / "schemas/fax.schema.json", '"required": ["sourceId", "fields"]', '"required": ["fields"]')
    samples = site / "mappings/referrals/samples"
    change(Path(shutil.copytree(samples / "one-fax", samples / "another")) / "metadata.json", '"sourceId"', '"id"')
    found = [line for line in lines(site) if line.startswith("mappings/referrals")]
    assert found
    assert [line.partition(":")[0] for line in found] == ["mappings/referrals/samples/another/metadata.json"]


def test_a_pattern_is_told_in_the_words_of_its_description(site):
    [metadata] = [
        each for each in (site / "mappings/referrals/samples").glob("*/metadata.json") if "mrn" in each.read_text()
    ]
    change(site / "schemas/parts.json", '"mrn": {', '"mrn": { "description": "Only digits",')
    change(metadata, "0012345", "0012345!")
    assert any("(Only digits)" in line and "!" not in line for line in lines(site))
