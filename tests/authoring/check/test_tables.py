"""`receiver check` knows the tables: their names, the cells of their rows, and where they stand in the samples."""

import json

import pytest

from receiver.authoring.check import check
from receiver.core.faults import Severity
from tests.support.invoices import EACH, PROCESS, Invoices
from tests.support.tables_of import ANY_XSD

SCHEMA = {
    "type": "object",
    "required": ["sku"],
    "properties": {"sku": {"type": "string"}, "note": {"type": "string"}, "qty": {"type": "number"}},
    "additionalProperties": False,
}
LINES = [{"sku": "A", "qty": 2, "sure": 0.9}, {"sku": "B", "qty": 3, "sure": 0.9}]
PUBLISH = '[delivery]\nwithout_records = "publish"\n[tables.items]'
ONE = '[[records]]\ntemplate = "item.csv.j2"\npath = "{{ delivery.id }}.csv"\n'
LOOP = "{% for row in tables.items %}\n"
NESTED = '[tables.taxes]\nwithin = "items"\nrows = "taxes"\ncolumns = { rate = "rate" }\n'


@pytest.fixture
def site(tmp_path) -> Invoices:
    site = Invoices(tmp_path, ONE)
    sample(site, LINES)
    return site


def sample(site: Invoices, lines: object) -> None:
    folder = site.folder / "samples" / "plain"
    (folder / "expected").mkdir(parents=True, exist_ok=True)
    (folder / "metadata.json").write_text(json.dumps({"id": "1", "fields": [], "lines": lines}))


def found(site: Invoices, process: str, template: str) -> list[tuple[str, int, str, str]]:
    """Return file, line, code and hint of what is wrong, but for what is only information."""
    site.write(process, template)
    toml = site.folder / "process.toml"
    toml.write_text(
        toml.read_text().replace('[fields]\nrepeated = ["code"]\n', "").replace("[tables.items]", PUBLISH, 1)
    )
    faults = [fault for fault in check(site.settings, {}) if fault.severity is not Severity.INFO]
    return [(fault.file.rpartition("/")[2], fault.line, fault.code, fault.hint) for fault in faults]


def codes(site: Invoices, process: str, template: str) -> list[str]:
    return [code for _, _, code, _ in found(site, process, template)]


def schema(site: Invoices) -> None:
    (site.root / "schemas" / "items.json").write_text(json.dumps(SCHEMA))


def test_a_sound_process_has_no_fault(site):
    assert found(site, ONE, LOOP + "{{ row.sku }},{{ row.qty }}\n{% endfor %}\n") == []
    assert found(site, EACH.replace("item.sku", "loop.index"), "{{ item.sku }},{{ item.qty }}\n") == []


def test_a_table_that_is_misspelt_is_found(site):
    assert found(site, ONE, "{% for row in tables.itmes %}{{ row.sku }}\n{% endfor %}\n") == [
        ("item.csv.j2", 1, "no-such-table", 'did you mean "items"?')
    ]


@pytest.mark.parametrize(
    "template",
    [
        "{% for row in tables.items %}{{ row.skuu }}\n{% endfor %}",
        '{% for row in tables.items | sort(attribute="qty") %}{{ row["skuu"] }}\n{% endfor %}',
        "{% set rows = tables.items %}{% for row in rows if row.skuu == 1 %}x\n{% endfor %}",
        "{{ tables.items[0].skuu }}\n",
        "{{ (tables.items | first).skuu }}\n",
        '{{ tables.items | map(attribute="skuu") | join }}\n',
        '{% for row in tables.items | selectattr("skuu") %}x\n{% endfor %}',
        "{% with row = tables.items[1] %}{{ row.skuu }}\n{% endwith %}",
        "{% if tables.items[0].skuu %}x\n{% endif %}",
    ],
)
def test_a_cell_that_is_misspelt_is_found(site, template):
    assert ("item.csv.j2", 1, "unknown-cell", 'did you mean "sku"?') in found(site, ONE, template)


def test_the_cells_of_an_item_are_known_in_path_condition_and_template(site):
    process = EACH.replace("item.sku", "loop.index }}{{ item.skuu") + 'when = "item.qtyy > 1"\n'
    faults = found(site, process, "{{ item.quty }}\n")
    assert [line for _, line, code, _ in faults if code == "unknown-cell"] == [1, 25, 26]


def test_a_table_is_no_row(site):
    assert "unknown-cell" in codes(site, ONE, "{{ tables.items.sku }}\n")


def test_what_is_no_row_is_left_alone(site):
    for template in (
        "{{ tables.items | length }}\n",
        "{% for row in tables.items %}{% for name, value in row | items %}{{ name }}\n{% endfor %}{% endfor %}",
        "{% for row in tables.items %}{{ row.sku.upper() }}\n{% endfor %}",
    ):
        assert codes(site, ONE, template) == []


def test_tables_within_rows_are_known(site):
    sample(site, [{**line, "taxes": [{"rate": 19}]} for line in LINES])
    loop = "{% for row in tables.items %}{% for tax in row.taxes %}{{ tax.rate }}\n{% endfor %}{% endfor %}"
    assert codes(site, NESTED + ONE, loop) == []
    assert codes(site, NESTED + ONE, loop.replace("tax.rate", "tax.rates")) == ["unknown-cell"]
    assert codes(site, NESTED + ONE, loop.replace("row.taxes", "row.taxs")) == ["unknown-cell"]
    assert codes(site, NESTED + ONE, "{% for tax in tables.taxes %}x\n{% endfor %}") == ["no-such-table"]


def test_a_schema_tells_which_cells_may_be_absent(site):
    schema(site)
    sample(site, [{**line, "note": "x"} for line in LINES])
    toml = PROCESS.replace('rows = "lines"', 'rows = "lines"\nschema = "items.json"')
    toml = toml.replace("columns = {", 'columns = { note = "note",').replace("[tables.items]", PUBLISH)

    def wrong(template: str) -> list[str]:
        site.write("", template)
        (site.folder / "process.toml").write_text(toml + EACH.replace("item.sku", "loop.index"))
        faults = check(site.settings, {})
        return [fault.code for fault in faults if fault.severity is not Severity.INFO and fault.code != "unknown-path"]

    assert wrong("{{ item.sku }},{{ item.note }}\n") == ["unguarded-cell"]
    assert wrong('{{ item.sku }},{{ item.note | default("") }}\n') == []
    assert wrong("{% if item.note is defined %}{{ item.note }}{% endif %}\n") == []
    assert wrong('{% if item.note | default("") | trim %}{{ item.note }}{% endif %}\n') == []
    assert wrong('{% if item.note | default("none") %}{{ item.note }}{% endif %}\n') == ["unguarded-cell"]
    assert wrong("{% if item.note is undefined %}-{% else %}{{ item.note }}{% endif %}\n") == []
    assert wrong('{{ item.note if "note" in item else "" }}\n') == []


def test_paths_that_lead_to_nothing_in_the_samples_are_found(site):
    sample(site, [{"sku": "A"}, {"sku": "B"}])
    assert [(line, code) for _, line, code, _ in found(site, ONE, "x\n")] == [(20, "unknown-path")]
    sample(site, [])
    assert [(line, code) for _, line, code, _ in found(site, ONE, "x\n")] == [(19, "unknown-path")]
    sample(site, [{"sku": "A", "qty": 1}])
    assert [(line, code) for _, line, code, _ in found(site, ONE, "x\n")] == [(20, "unknown-path")]


def test_a_minimum_of_a_column_that_is_not_there_is_found(site):
    confidence = '[confidence]\nbelow = "hold"\nfields = { "items.skuu" = 0.9, "a.b" = 0.9 }\n'
    assert found(site, confidence + ONE, "x\n") == [("process.toml", 23, "unknown-cell", 'did you mean "sku"?')]


def test_a_sample_that_is_refused_is_shown_at_its_row(site):
    schema(site)
    folder = site.folder / "samples" / "plain"
    lines = '{"id": "1", "fields": [], "lines": [\n{"sku": "A", "qty": 1, "sure": 1},\nnull,\n{"qty": 2}]}'
    (folder / "metadata.json").write_text(lines)
    site.write("", "x\n")
    toml = PROCESS.replace('rows = "lines"', 'rows = "lines"\nschema = "items.json"')
    (site.folder / "process.toml").write_text(toml.replace('[fields]\nrepeated = ["code"]\n', "") + ONE)
    faults = [fault for fault in check(site.settings, {}) if fault.code == "sample-rejected"]
    assert [(fault.line, "tables/items/1" in fault.message) for fault in faults] == [(4, True)]


@pytest.mark.parametrize(
    ("each", "path", "wrong"),
    [
        ("tables.items", "{{ delivery.id }}.csv", ["path-not-apart"]),
        ("tables.items", "{{ delivery.id }}-{{ item.sku }}.csv", ["path-not-apart"]),
        ("tables.items", "{{ delivery.id }}-{{ loop.index }}.csv", []),
        ("tables.items", "{{ delivery.id }}-{{ '%03d' | format(loop.index) }}.csv", []),
        ("tables.items", "{{ delivery.id }}-{{ loop.index // 2 }}.csv", ["path-not-apart"]),
        ("range(3)", "{{ delivery.id }}-{{ item + 1 }}.csv", []),
        ("documents", "{{ delivery.id }}-{{ item.path }}.csv", []),
        ("documents", "{{ delivery.id }}-{{ item.type }}.csv", ["path-not-apart"]),
    ],
)
def test_the_path_must_tell_the_records_apart(site, each, path, wrong):
    process = f'[[records]]\ntemplate = "item.csv.j2"\neach = "{each}"\npath = "{path}"\n'
    assert [code for code in codes(site, process, "x\n") if code == "path-not-apart"] == wrong


def test_a_path_that_tells_a_cell_is_found(site):
    process = EACH.replace("item.sku", "loop.index }}-{{ item.sku")
    assert codes(site, process, "x\n") == ["path-tells-value"]


def test_templates_are_tried_with_tables_that_have_no_rows(site):
    faults = found(site, ONE, "{{ tables.items[0].sku }}\n")
    assert [(line, code) for _, line, code, _ in faults] == [(1, "render-fails")]


def test_paths_that_the_metadata_schema_does_not_know_are_found(site):
    taxes = {"type": "array", "items": {"properties": {"rate": {}}, "additionalProperties": False}}
    line = {"properties": {"sku": {}, "qty": {}, "sure": {}, "taxes": taxes}, "additionalProperties": False}
    known = {"id": {}, "fields": {}, "lines": {"type": "array", "items": line}}
    whole = {"properties": known, "additionalProperties": False}
    (site.root / "schemas" / "any.json").write_text(json.dumps(whole))

    def unknown(old: str, new: str) -> list[tuple[int, str]]:
        site.write("", "x\n")
        toml = PROCESS + NESTED
        assert old in toml
        (site.folder / "process.toml").write_text(toml.replace(old, new) + ONE)
        faults = [fault for fault in check(site.settings, {}) if fault.severity is Severity.ERROR]
        return [(fault.line, fault.hint) for fault in faults if "knows nothing called" in fault.message]

    assert unknown('rows = "lines"', 'rows = "linse"') == [(19, 'did you mean "lines"?')]
    assert unknown('sku = "sku"', 'sku = "skuu"') == [(20, 'did you mean "sku"?')]
    assert unknown('confidence = "sure"', 'confidence = "sur"') == [(20, 'did you mean "sure"?')]
    assert unknown('rate = "rate"', 'rate = "rat"') == [(24, 'did you mean "rate"?')]


def test_a_cell_of_xml_is_text(tmp_path):
    site = Invoices(tmp_path, ONE, "x\n")
    (site.root / "schemas" / "any.xsd").write_text(ANY_XSD)
    (site.root / "schemas" / "items.json").write_text('{"properties": {\n"qty": {"type": "integer"}}}')
    toml = PROCESS.replace("any.json", "any.xsd").replace('rows = "lines"', 'rows = "lines"\nschema = "items.json"')
    (site.folder / "process.toml").write_text(toml + ONE)
    faults = [fault for fault in check(site.settings, {}) if fault.code == "field-type"]
    assert [(fault.file, fault.line) for fault in faults] == [("schemas/items.json", 2)]
