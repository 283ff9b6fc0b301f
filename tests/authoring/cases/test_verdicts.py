"""What a case becomes is compared with what stands beside it, and written there on demand."""

import json

import pytest

from receiver.authoring.cases.verdict import PROBLEM, Status, files, judge, write

FIELDS = {"name": "Ada Invented", "mrn": "00071234", "code": ["R06.09", "I10"]}


@pytest.fixture
def proven(site):
    """A site with one case that becomes what it must."""
    site.sample()
    accept(site)
    return site


def accept(site, name="plain"):
    write(site.case(name), files(site.outcome(name)))


def verdict(site, name="plain"):
    return judge(site.case(name), site.outcome(name))


def snapshot(folder):
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()}


def test_a_case_without_expected_is_new(site):
    site.sample()
    assert verdict(site).status is Status.NEW


def test_a_case_that_becomes_what_stands_beside_it_is_ok(proven):
    assert verdict(proven).status is Status.OK
    kept = sorted(path.suffix for path in proven.case().expected.iterdir())
    assert kept == [".csv", ".done", ".hl7", ".json", ".txt", ".xml"]


def test_a_record_that_changes_is_told_by_file_and_place(proven):
    proven.change("xml", "<name>", "<name x='1'>")
    (path,) = proven.case().expected.glob("*.xml")
    assert verdict(proven).differences == (f'{path.name}  /note/name/@x: not expected, got "1"',)


def test_a_record_or_marker_that_is_no_longer_written_is_told(proven):
    toml = proven.folder / "process.toml"
    toml.write_text(toml.read_text().replace("marker = ", "# "))
    (path,) = proven.case().expected.glob("*.done")
    assert verdict(proven).differences == (f"{path.name}: missing",)


def test_a_record_that_is_new_is_told(proven):
    (path,) = proven.case().expected.glob("*.txt")
    path.unlink()
    assert verdict(proven).differences == (f"{path.name}: not expected",)


def test_another_delivery_is_told_by_its_name_and_its_values(proven):
    proven.sample(fields=FIELDS | {"name": "Eva Invented"})
    told = verdict(proven).differences
    assert [line for line in told if "is called" in line and ".txt" in line]
    assert [line for line in told if 'PID-5: expected "Ada Invented", got "Eva Invented"' in line]
    assert not [line for line in told if line.endswith(("missing", "not expected"))]


def test_a_problem_is_expected_by_its_code_and_rules(site):
    site.sample(fields={"name": "Ada", "mrn": "12"})
    accept(site)
    assert [path.name for path in site.case().expected.iterdir()] == [PROBLEM]
    assert verdict(site).status is Status.OK


def test_a_better_worded_message_changes_no_verdict(site):
    site.sample(fields={"name": "Ada", "mrn": "12"})
    accept(site)
    problem = site.case().expected / PROBLEM
    told = json.loads(problem.read_text())
    told["violations"][0]["message"] = "in other words"
    problem.write_text(json.dumps(told))
    assert verdict(site).status is Status.OK


def test_another_problem_is_told_by_what_is_missing_and_what_is_new(site):
    site.sample(fields={"name": "Ada", "mrn": "12"})
    accept(site)
    site.sample(fields={"name": "Ada", "mrn": "123456", "gender": "x"})
    told = verdict(site).differences
    assert told == (
        "violation missing: fields/mrn pattern fields.schema.json#/properties/mrn/pattern",
        "violation not expected: fields/gender enum fields.schema.json#/properties/gender/enum",
    )


def test_whether_a_delivery_is_held_or_refused_is_part_of_the_verdict(site):
    site.sample(confidence=0.1)
    accept(site)
    toml = site.folder / "process.toml"
    toml.write_text(toml.read_text().replace('below = "hold"', 'below = "refuse"'))
    assert verdict(site).differences == ("status: expected held, got refused",)
    problem = site.case().expected / PROBLEM
    problem.write_text(problem.read_text().replace('"status": "held",', ""))
    assert verdict(site).status is Status.OK


def test_another_code_is_told(site):
    site.sample(fields={"name": "Ada", "mrn": "12"})
    accept(site)
    site.sample(confidence=0.1)
    assert verdict(site).differences[:2] == (
        "code: expected fields-invalid, got confidence-low",
        "status: expected refused, got held",
    )


def test_a_delivery_refused_against_expectation_says_why(proven):
    proven.sample(fields=FIELDS | {"mrn": "12"})
    first, second = verdict(proven).differences
    assert first == "expected to be published, got fields-invalid"
    assert second.startswith("fields/mrn pattern fields.schema.json#/properties/mrn/pattern: ")


def test_a_delivery_published_against_expectation_is_told(site):
    site.sample(fields={"name": "Ada", "mrn": "12"})
    accept(site)
    site.sample()
    (told,) = verdict(site).differences
    assert told.startswith("expected to be refused or held, got published: ")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"code": "x", "violations": 5}', '{"violations": [1]}'])
def test_an_expected_problem_that_is_none_is_a_difference(site, content):
    site.sample(fields={"name": "Ada", "mrn": "12"})
    accept(site)
    (site.case().expected / PROBLEM).write_text(content)
    assert verdict(site).differences[0].startswith("problem.json: must be ")


def test_writing_removes_what_is_gone_and_leaves_the_rest_untouched(proven):
    expected = proven.case().expected
    before = snapshot(expected)
    (expected / "old" / "deep").mkdir(parents=True)
    (expected / "old" / "deep" / "record.txt").write_text("gone")
    accept(proven)
    assert snapshot(expected) == before
    assert [path for path in expected.rglob("*") if path.is_dir()] == []


def test_records_in_folders_are_written_and_compared(proven):
    toml = proven.folder / "process.toml"
    toml.write_text(
        toml.read_text().replace('path = "{{ delivery.id }}.txt"', 'path = "by-day/2026/{{ delivery.id }}.txt"')
    )
    accept(proven)
    assert len(list(proven.case().expected.glob("by-day/2026/*.txt"))) == 1
    assert verdict(proven).status is Status.OK


def test_what_a_case_becomes_is_the_same_whenever_it_is_run(proven):
    first, second = files(proven.outcome()), files(proven.outcome())
    assert first == second
    assert b"20260102030405+0000" in next(content for path, content in first.items() if path.endswith(".hl7"))
