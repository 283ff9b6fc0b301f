"""Samples of platforms that nobody here knows: each is drafted with the right paths, and passes untouched."""

import json
import tomllib
from pathlib import Path

import pytest

from tests.support.new_sites import made

HERE = Path(__file__).parent / "unknown"

# shape → each, name, value, confidence, scale, source_id, and how many fields
FOUND = {
    "de-attributes.xml": ("Felder/Feld", "@bez", "Wert", "@sicher", 100, "@nr", 3),
    "de-children.xml": ("Merkmale/M", "Art", "Inhalt", "Guete", 1, "Kopf/Aktenzeichen", 3),
    "fr-pages.json": ("feuilles[].champs[]", "libelle", "contenu", "fiabilite", 100, "dossier.identifiant", 3),
    "fr-dict.json": ("lu", "key", "value.v", "value.c", 1, "ref", 3),
    "nl-namespace.xml": ("Blad/Regel", "@veld", None, "@zeker", 100, "@kenmerk", 3),
    "nl-nested.json": ("regels", "wat", "gelezen.als", "gelezen.hoe", 1, "bericht", 2),
    "es-list.json": ("campos", "campo", "valor", "confianza", 100, "expediente", 3),
    "es-no-confidence.xml": ("dato", "@clave", None, None, 1, "folio", 3),
    "no-words.json": ("r", "b", "c", "d", 1, "q", 3),
    "scattered.xml": (".//e", "@n", None, "@c", 100, "@uid", 4),
    "by-name-children.xml": ("Angaben/*", "name()", "w", "s", 1, "@kennung", 3),
    "boxes.json": ("found", "what", "said", "p", 1, "scan", 3),
    "repeated.json": ("rows", "k", "t", "c", 1, "n", 3),
    "one-field.json": ("felder", "bezeichnung", "wert", "sicherheit", 100, "id", 1),
}


@pytest.fixture
def site(tmp_path):
    return made(tmp_path)


def paths(site):
    config = tomllib.loads(site.text("mappings/scans/process.toml"))
    fields = config["fields"]
    found = [fields.get(key) for key in ("each", "name", "value", "confidence")]
    return (*found, fields.get("scale", 1), config["metadata"]["source_id"])


def count(site):
    return len(json.loads(site.text("schemas/scans.fields.schema.json"))["properties"])


def test_every_sample_is_expected_to_be_found():
    assert {path.name for path in HERE.iterdir()} == set(FOUND)


@pytest.mark.parametrize("name", FOUND)
def test_a_document_of_an_unknown_shape_is_drafted_and_passes_untouched(site, name):
    told = site.new("scans", "json", HERE / name)
    assert (*paths(site), count(site)) == FOUND[name]
    assert "became a field of its own" not in told
    site.run("check", "--strict")
    assert "1 case: 1 ok" in site.run("test").stdout
    assert not list(site.folder.glob("mappings/*/samples/*/expected/problem.json"))


def test_the_first_lines_tell_what_was_found_and_no_value(site):
    told = site.new("scans", "json", HERE / "de-attributes.xml")
    assert told.startswith("Metadata of a shape of its own: 3 fields at Felder/Feld, the document's id at @nr\n")
    assert "name        @bez\n" in told
    assert "confidence  @sicher, 0 to 100\n" in told
    assert "Muster" not in told
    assert "4471" not in told


def test_it_is_told_that_single_values_became_fields(site):
    assert "became a field of its own" in site.new("scans", "json", HERE.parent / "shapes" / "flat.xml")


def test_options_name_what_was_seen_wrongly(site):
    options = ("--fields", "r", "--name", "a", "--value", "b", "--confidence", "none", "--source-id", "q")
    site.run("new", "scans", "--from", HERE / "no-words.json", *options)
    assert paths(site) == ("r", "a", "b", None, 1, "q")
    site.run("check", "--strict")
    site.run("test")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--fields", "r["), "--fields"),
        (("--fields", "s"), "what repeats: r (3)"),
        (("--name", "z"), "--name"),
        (("--fields", "r", "--name", "z"), "below each field stand a, b, c, d"),
        (("--confidence", "b"), "below each field: a, b, c, d"),
        (("--source-id", "z"), "single values stand at q"),
    ],
)
def test_an_option_that_leads_nowhere_is_told_with_what_was_found_instead(site, options, told):
    said = site.run("new", "scans", "--from", HERE / "no-words.json", *options, code=2).stderr
    assert told in " ".join(said.split())
    assert f"Invalid value for {options[-2]}" in said
    assert "Elm" not in said
    assert not list((site.folder / "mappings").iterdir())
