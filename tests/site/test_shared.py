"""mappings/_shared/: templates, macros and tables that every process may use."""

import os

import pytest

from receiver.authoring.check import check
from receiver.core.settings import Settings
from receiver.site.compiling import digests, proven
from tests.support.small_site import SmallSite

MACROS = """{% macro sex(value) %}{{ value | lookup("_shared/sex", "word") }}{% endmacro %}
{% macro named(name) %}<{{ name }}>{% endmacro %}
"""


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.setenv("NOBODY_SETS_THIS_TOKEN", "an-invented-token-of-24-letters")
    made = SmallSite(tmp_path / "site")
    shared = made.root / "mappings" / "_shared"
    (shared / "tables").mkdir(parents=True)
    (shared / "people.j2").write_text(MACROS)
    (shared / "tables" / "sex.csv").write_text("code,word\nf,female & more\nm,male\n")
    return made


@pytest.fixture
def using(site):
    for name, text in {
        "xml": '{% import "_shared/people.j2" as people %}<note>{{ people.sex("f") }}</note>\n',
        "txt": '{% from "_shared/people.j2" import named %}{{ named(fields.name) }}\n',
    }.items():
        site.template(name, text)
    site.sample()
    return site


def told(site):
    faults = check(site.settings(), os.environ)
    return {(fault.file.removeprefix("mappings/"), fault.code) for fault in faults}


def test_it_is_no_process(site):
    assert list(proven(site.settings())) == ["notes"]
    assert not any(code in ("bad-name", "no-process") for _, code in told(site))


def test_what_it_prints_is_escaped_for_its_place(using):
    records = {each.path[-3:]: each.content for each in using.outcome().rendered.records}
    assert records["xml"] == b"<note>female &amp; more</note>\n"
    assert records["txt"] == b"<Ada Invented>\n"


def test_a_record_may_have_a_shared_template(site):
    (site.folder / "note.txt.j2").rename(site.folder.parent / "_shared" / "note.txt.j2")
    toml = site.folder / "process.toml"
    toml.write_text(toml.read_text().replace('"note.txt.j2"', '"_shared/note.txt.j2"'))
    site.sample()
    assert any(each.path.endswith(".txt") for each in site.outcome().rendered.records)
    assert {code for file, code in told(site) if file.endswith("note.txt.j2")} == set()


def test_what_no_process_uses_is_listed(site):
    unused = {("_shared/people.j2", "unused-template"), ("_shared/tables/sex.csv", "unused-table")}
    assert unused <= told(site)


def test_what_is_used_is_not(using):
    assert not any(file.startswith("_shared/") for file, _ in told(using))


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ('{% import "_shared/poeple.j2" as p %}{{ p.sex("f") }}', "unknown-template", '"_shared/people.j2"'),
        ('{{ "f" | lookup("_shared/sx") }}', "unknown-table", '"_shared/sex"'),
        ('{{ "f" | lookup("_shared/../../sex") }}', "unknown-table", ""),
        ('{% include "_shared/../../secret.j2" %}', "unknown-template", ""),
        ('{% include "_shared/../notes/note.txt.j2" %}', "unknown-template", ""),
    ],
)
def test_a_file_that_is_not_there_is_found_with_what_was_meant(site, text, code, hint):
    (site.root / "secret.j2").write_text("secret")
    site.template("txt", text)
    found = {each.code: each for each in check(site.settings(), os.environ) if each.file.endswith("note.txt.j2")}
    assert code in found
    assert hint in found[code].hint


def test_a_fault_of_a_shared_file_is_found_through_the_process_that_uses_it(using):
    (using.root / "mappings" / "_shared" / "people.j2").write_text(MACROS.replace('"word"', '"words"'))
    assert ("_shared/people.j2", "unknown-table") in told(using)
    shown = using.receiver("check", "notes").stdout
    assert "_shared/people.j2" in shown


def test_a_digest_covers_what_is_used_and_nothing_else(using):
    shared = using.root / "mappings" / "_shared"
    (shared / "other.j2").write_text("nobody uses this")
    before = digests(using.root)
    (shared / "other.j2").write_text("changed")
    assert digests(using.root) == before
    (shared / "tables" / "sex.csv").write_text("code,word\nf,woman\n")
    by_way_of_a_macro = digests(using.root)
    assert by_way_of_a_macro != before
    (shared / "people.j2").write_text(MACROS + "\n")
    assert digests(using.root) != by_way_of_a_macro
    process = proven(Settings.from_environment({"RECEIVER_SITE": str(using.root)}))["notes"]
    assert process.digest == digests(using.root)["notes"]
