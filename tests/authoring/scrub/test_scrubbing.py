"""A scrubbed delivery has the shape of the original, is judged like it, and holds nothing of it."""

import json
import re
from datetime import datetime
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import pypdfium2
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from receiver.authoring.cases.capturing import Sent, laid_out
from receiver.authoring.cases.cases import cases, incoming, processes
from receiver.authoring.cases.outcome import run
from receiver.authoring.cases.verdict import files
from receiver.authoring.scrub import blank, scrub
from receiver.authoring.scrub.inventing import CannotScrubError, can_change, invented
from receiver.core.delivery import Role, Section
from receiver.core.settings import Settings
from tests.support.small_site import FIELDS, SmallSite, metadata

ROOT = Path(__file__).parents[3]
SITES = (ROOT, ROOT / "tests" / "sites" / "other-xml")


def of_the_site(site):
    return processes(Settings.from_environment({"RECEIVER_SITE": str(site)}))


def sent(process, sections):
    """Return sections as they would have been kept."""
    parts = []
    for each in sections:
        content = b"".join(each.content)
        role = next((rule.role for rule in process.config.parts if rule.name == each.name), Role.DOCUMENT)
        suffix = {"image/tiff": ".tif", "application/pdf": ".pdf", "image/png": ".png"}.get(each.type, ".bin")
        parts.append(Sent(each, role, suffix, content))
    return parts


def case_of(process, parts):
    """Return every file of the sample case that a delivery becomes."""
    return {**laid_out(process, parts), **files(run(process, (part.incoming for part in parts)))}


SHIPPED = [case for site in SITES for process in of_the_site(site).values() for case in cases(process)]
ENUMERATED = {"Intake", "Referral", "Nonbinary"}  # by the schema of the intake forms: few other words may stand there


@pytest.mark.parametrize("text", ["1", "0", "A", "7-7"])
def test_a_short_text_never_comes_out_as_it_was(text):
    assert text not in {invented(text) for _ in range(200)}


@pytest.mark.parametrize("case", SHIPPED, ids=lambda case: f"{case.process.name}/{case.name}")
def test_every_shipped_sample_can_be_scrubbed(case):
    parts = sent(case.process, incoming(case, 10**9))
    scrubbed = scrub(case.process, parts)
    before, after = case_of(case.process, parts), case_of(case.process, scrubbed.parts)
    assert ("problem.json" in before) == ("problem.json" in after)
    values = set(values_of(next(part.content for part in parts if part.role is Role.METADATA)))
    told = text_of(after)
    assert {value for value in values if len(value) >= 3 and value in told} <= ENUMERATED
    assert len(scrubbed.kept) <= 2


def values_of(content):
    """Return what the metadata of a shipped sample tells of a patient, without any of the receiver's code."""
    if content.lstrip().startswith(b"<"):
        for element in ElementTree.fromstring(content).iter():
            if element.text and element.text.strip() and not element.tag.endswith(("Key", "Certainty")):
                yield element.text.strip()
    else:
        document = json.loads(content)
        yield document["sourceId"]
        yield from (field["value"] for field in document["fields"])


def text_of(case):
    return "\n".join([*case, *(content.decode("utf-8", "replace") for content in case.values())])


@pytest.fixture(scope="module")
def notes(tmp_path_factory):
    site = SmallSite(tmp_path_factory.mktemp("notes"))
    return processes(site.settings(), ["notes"])["notes"]


def note(fields, filename="scan.tif", **rest):
    return [
        Sent(Section("file", filename, "image/tiff"), Role.DOCUMENT, ".tif", blank(".tif") + b"original"),
        Sent(Section("metadata", None, "application/json"), Role.METADATA, ".json", metadata(fields, **rest)),
    ]


CONSTANT = {"name": "q", "mrn": "11111111", "code": ["q"]}


@pytest.fixture(scope="module")
def constant(notes):
    """What stands in a case whatever is sent: one that is accepted, one that is held."""
    cases = [case_of(notes, scrub(notes, note(CONSTANT, confidence=each)).parts) for each in (0.3, 0.9)]
    return "".join(map(text_of, cases)) + configuration(notes)


TEXTS = st.text(min_size=3, max_size=30)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=TEXTS,
    mrn=st.text("0123456789", min_size=5, max_size=11),
    codes=st.lists(TEXTS | st.integers(100) | st.floats(100, allow_nan=False, allow_infinity=False), max_size=5),
    source_id=TEXTS,
    filename=TEXTS,
    confidence=st.sampled_from([0.3, 0.9]),
)
@example("Ada Invented", "00071234", ["R06.09", "I10", "I10"], "note-1", "Ada Invented.tif", 0.9)
@example("000", "000000", ["000", "0000"], "000", "000", 0.9)
@example('<&">', "12345678", ["<Ann>", "Ann & Bob"], "&&&", "a&b", 0.9)
@example("000", "000000", [], "000", "NUL", 0.3)
@example("status", "000000", ["violations"], "where", "problem.json", 0.3)
@example("name", "12345678", ["mrn", "gender", "sourceId"], "fields", "file", 0.9)
def test_no_original_value_survives(notes, constant, name, mrn, codes, source_id, filename, confidence):
    parts = note({"name": name, "mrn": mrn, "code": codes}, filename, confidence=confidence, source_id=source_id)
    after = case_of(notes, scrub(notes, parts).parts)
    assert ("problem.json" in after) == ("problem.json" in case_of(notes, parts))
    told = text_of(after)
    for value in map(str, [name, mrn, *codes, source_id, filename]):
        if len(value) >= 3 and can_change(value) and value.casefold() not in constant.casefold():
            assert value not in told
    assert b"original" not in b"".join(after.values())


def configuration(process):
    site = process.config.folder.parents[1]
    return "".join(path.read_text() for path in site.rglob("*") if path.is_file())


def test_equal_values_stay_equal_and_numbers_stay_numbers(notes):
    fields = {"name": "Ada Invented", "mrn": "00071234", "code": ["Ada Invented", "00071234", 4711, 12.25]}
    _, scrubbed = scrub(notes, note(fields)).parts
    found = [field["value"] for field in json.loads(scrubbed.content)["fields"]]
    assert found[2:4] == found[0:2]
    assert (type(found[4]), type(found[5])) == (int, float)
    assert 1000 <= found[4] <= 9999


def test_each_time_other_values_are_invented(notes):
    made = {scrub(notes, note(FIELDS)).parts[1].content for _ in range(5)}
    assert len(made) == 5


def test_names_of_fields_and_confidences_stay(notes):
    _, scrubbed = scrub(notes, note(FIELDS, confidence=0.77)).parts
    found = [(field["name"], field["confidence"]) for field in json.loads(scrubbed.content)["fields"]]
    assert found == [("name", 0.77), ("mrn", 0.77), ("code", 0.77), ("code", 0.77)]


def test_values_that_a_pattern_asks_for_are_found(site):
    pattern = "^ACME-[12][0-9]{9}-(north|south)$"
    schema = {"properties": {"name": {"pattern": pattern}}}
    (site.root / "schemas" / "fields.schema.json").write_text(json.dumps(schema))
    process = site.case().process
    original = "ACME-1234567890-south"
    _, scrubbed = scrub(process, note({"name": original, "mrn": "123456"})).parts
    made = json.loads(scrubbed.content)["fields"][0]["value"]
    assert re.fullmatch(pattern, made)
    assert made != original
    assert made.startswith("ACME-")


@pytest.mark.parametrize(("folder", "name"), [("notes", "ward"), ("_shared", "_shared/ward")])
def test_keys_of_code_tables_stay(site, folder, name):
    tables = site.folder.parent / folder / "tables"
    tables.mkdir(parents=True)
    (tables / "ward.csv").write_text("code,ward\nNorthwing,N\n")
    site.change("txt", "{{ fields.name }}", '{{ fields.name | lookup("' + name + '", default="?") }}')
    process = site.case().process
    _, scrubbed = scrub(process, note({"name": "Northwing", "mrn": "123456"})).parts
    assert json.loads(scrubbed.content)["fields"][0]["value"] == "Northwing"


def test_metadata_that_cannot_be_read_is_not_scrubbed(notes):
    first, second = note(FIELDS)
    broken = Sent(second.section, second.role, second.suffix, second.content[:-1])
    with pytest.raises(CannotScrubError):
        scrub(notes, [first, broken])


def test_parts_that_the_process_does_not_know_get_other_names(notes):
    parts = [*note(FIELDS), Sent(Section("Ada Invented", "Ada.pdf", "application/pdf"), Role.ATTACHMENT, ".pdf", b"x")]
    scrubbed = scrub(notes, parts).parts
    assert "Ada" not in text_of(case_of(notes, scrubbed))
    assert len(scrubbed) == 3


def date_in(text, form):
    return datetime.strptime(text, form)  # noqa: DTZ007 (dates have no zone)


DATES = [
    ("01/30/2018", "%m/%d/%Y"),
    ("30.01.2018", "%d.%m.%Y"),
    ("2018-01-30", "%Y-%m-%d"),
    ("20180130", "%Y%m%d"),
    ("20180130174500", "%Y%m%d%H%M%S"),
    ("2018-01-30T17:45:00+0100", "%Y-%m-%dT%H:%M:%S%z"),
    ("30 Jan 2018", "%d %b %Y"),
    ("January 30, 2018", "%B %d, %Y"),
    ("30-JAN-2018", "%d-%b-%Y"),
]


@pytest.mark.parametrize(("text", "form"), DATES)
def test_dates_stay_dates(text, form):
    made = {invented(text) for _ in range(50)}
    assert len(made) > 10
    for each in made:
        assert date_in(each, form)
        assert len(each) == len(text) or "January" in text


def test_a_day_that_no_month_could_be_stays_one():
    for _ in range(50):
        first, second, _ = invented("15/03/1958").split("/")
        assert int(first) > 12 >= int(second)


def test_dates_within_a_text_stay_dates():
    made = invented("seen 01/30/2018, again 02/28/2018 by Dr. Invented")
    first, second = re.findall(r"\d\d/\d\d/\d{4}", made)
    assert date_in(first, "%m/%d/%Y") != date_in(second, "%m/%d/%Y")
    assert "Invented" not in made


@given(st.text(max_size=40))
def test_the_shape_stays(text):
    made = invented(text)
    if not re.search(r"\d|[a-z]{3}", text):
        assert len(made) == len(text)
        assert [each.isupper() for each in made] == [each.isupper() for each in text]
    assert [each for each in text if not each.isalnum()] == [each for each in made if not each.isalnum()]


@pytest.mark.parametrize("suffix", [".tif", ".png", ".jpg"])
def test_a_blank_image_is_one(suffix):
    image = Image.open(BytesIO(blank(suffix)))
    image.load()
    assert image.convert("L").getextrema() == (255, 255)


def test_a_blank_pdf_has_one_page():
    document = pypdfium2.PdfDocument(blank(".pdf"))
    assert len(document) == 1
    document.close()


def scrubbed_name(site, name):
    _, scrubbed = scrub(site.case().process, note({"name": name, "mrn": "123456"})).parts
    return json.loads(scrubbed.content)["fields"][0]["value"]


def test_the_way_through_the_templates_stays_the_same(site):
    site.change("txt", "{{ fields.name }}", '{{ "now" if "urgent" in fields.name else "later" }}')
    made = scrubbed_name(site, "urgent: Ada Invented")
    assert made.startswith("urgent")
    assert "Ada" not in made
    assert "Invented" not in made


def test_a_long_text_takes_another_way_rather_than_stay(site):
    site.change("txt", "{{ fields.name }}", '{{ "now" if "urgent" in fields.name else "later" }}')
    original = "urgent: " + "Ada Invented " * 20
    made = scrubbed_name(site, original)
    assert len(made) == len(original)
    assert "Ada" not in made


def test_a_long_text_that_nothing_can_stand_for_is_not_kept(site):
    original = "Ada Invented " * 20
    schema = {"properties": {"name": {"const": original}}}
    (site.root / "schemas" / "fields.schema.json").write_text(json.dumps(schema))
    with pytest.raises(CannotScrubError):
        scrubbed_name(site, original)
