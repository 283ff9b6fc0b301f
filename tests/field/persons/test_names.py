"""Invented persons of many naming customs, with the right parts: names.csv.

`settings` are keys of [persons]; `refused` is what the message of a name that can be read in two ways must name.
"""

import csv
from pathlib import Path

import pytest

from receiver.authoring.cases.outcome import FROZEN
from receiver.core.delivery import Delivery, Reading
from receiver.formats.errors import RefusedError
from receiver.site import pieces
from receiver.site.config.build import read
from receiver.templates import Templates
from receiver.templates.filters.person_words import Words, folded, folded_degrees
from receiver.templates.filters.persons import Customs, Name, reader
from receiver.templates.names import names

ROWS = list(csv.DictReader((Path(__file__).parent / "names.csv").read_text("utf-8").splitlines()))


def customs(settings: str) -> Customs:
    said = dict(each.split("=") for each in settings.split())
    lists = {key: value.split(",") for key, value in said.items() if key in Words.__dataclass_fields__}
    words = Words(**{key: (folded_degrees if key == "degrees" else folded)(value) for key, value in lists.items()})
    families = int(said["family_names"]) if "family_names" in said else None
    return Customs(said.get("order"), said.get("given_name", "first"), families, words)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['custom']}: {row['written']} {row['settings']}")
def test_a_name_has_the_right_parts_or_is_refused_with_what_decides(row):
    person = reader(customs(row["settings"]))
    if row["refused"]:
        with pytest.raises(RefusedError, match=row["refused"]):
            person(row["written"], "family")
    else:
        found = Name(*(person(row["written"], part) for part in Name._fields))
        assert found == Name(*(row[part] for part in Name._fields))


def test_the_table_has_300_names_of_many_customs():
    assert len(ROWS) >= 300
    assert len({row["custom"] for row in ROWS}) >= 12


def test_process_toml_tells_what_a_name_does_not(tmp_path):
    folder = tmp_path / "mappings" / "scans"
    folder.mkdir(parents=True)
    (folder / "process.toml").write_text(PROCESS, "utf-8")
    (folder / "record.txt.j2").write_text("{{ fields.name | person('family') }}|{{ fields.name | person('given') }}\n")
    configured = read(folder, tmp_path)
    templates = Templates(folder, tmp_path, customs=pieces.customs(configured.persons))
    template = templates.record("record.txt.j2", "text")
    written = {"NGUYEN VAN AN": "NGUYEN|AN", "Abogado Peralba Luis": "Peralba|Luis"}
    for name, parts in written.items():
        reading = Reading("42", {"name": name}, {}, {})
        assert template.render(names(Delivery("A" * 20, "scans", "42", FROZEN, 1), reading)).strip() == parts


PROCESS = """
[auth]
open = true
[parts.metadata]
role = "metadata"
[metadata]
schema = "nextstep-metadata.schema.json"
source_id = "sourceId"
[persons]
order = "family"
given_name = "last"
titles = ["Abogado"]
names = ["Van"]
"""


@pytest.mark.parametrize("name", ["Maria de Souza Lopez", "Jan van Berg Smit"])
def test_a_name_in_the_middle_that_has_a_particle_may_be_a_first_family_name(name):
    with pytest.raises(RefusedError) as refused:
        reader(Customs())(name, "family")
    assert "family_names" in refused.value.reason
