"""What comes into force of an edited site, process by process, without a server."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from receiver.core.faults import ConfigurationError
from receiver.core.settings import Settings
from receiver.operations import judging
from receiver.site import in_force
from receiver.store import folders

ROOT = Path(__file__).parents[2]


def established(settings: Settings) -> None:
    with in_force.alone(settings.local):
        in_force.establish(settings)


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.setenv("RECEIVER_TOKEN", "an-invented-token-1")
    shutil.copytree(ROOT / "schemas", tmp_path / "site/schemas")
    made = Site(tmp_path / "site", tmp_path / "var")
    made.add("one")
    made.add("two")
    established(made.settings)
    return made


class Site:
    """A site of copies of the shipped process, with only what is asked for in force."""

    def __init__(self, root: Path, data: Path) -> None:
        self.root = root
        self.settings = Settings.from_environment({"RECEIVER_SITE": str(root), "RECEIVER_DATA": str(data)})

    def toml(self, name: str) -> Path:
        return self.root / "mappings" / name / "process.toml"

    def add(self, name: str, **changes: str) -> None:
        shutil.copytree(ROOT / "mappings/referrals", self.root / "mappings" / name, dirs_exist_ok=True)
        text = self.toml(name).read_text().replace('directory = "referrals"', f'directory = "{name}"')
        route = changes.get("route", "")
        text = text.replace("default = true ", f"{route} # ")
        self.toml(name).write_text(text + changes.get("more", ""))

    def judged(self) -> in_force.State:
        """Judge the site as it lies there, and put in force what passes."""
        assert judging.main(self.settings) == 0
        found = in_force.read(self.settings.local)
        assert found
        return found

    def digests(self) -> dict[str, str | None]:
        found = in_force.read(self.settings.local)
        assert found
        return {name: found.digest(name) for name in found.processes}


def test_two_processes_may_swap_what_only_one_can_have(site):
    site.add("one", route='host = "a.example.org"')
    site.add("two", route='host = "b.example.org"')
    assert site.judged().kept_back == ()
    before = site.digests()
    site.add("one", route='host = "b.example.org"')
    site.add("two", route='host = "a.example.org"')
    assert site.judged().kept_back == ()
    assert all(before[name] != digest for name, digest in site.digests().items())


def test_what_relies_on_an_edit_that_is_kept_back_is_kept_back_too(site):
    site.add("one", route='host = "a.example.org"')
    assert site.judged().kept_back == ()
    before = site.digests()
    site.add("one", more="nonsense = 1\n")  # gives the host back, if it were sound
    site.add("two", route='host = "a.example.org"')
    told = " ".join(site.judged().kept_back)
    assert "unknown-key" in told
    assert "route.host leads to one already" in told
    assert site.digests() == before


def test_an_edit_that_refuses_the_samples_of_its_process_is_kept_back(site):
    before = site.digests()
    template = site.root / "mappings/one/mdm_t02.hl7.j2"
    template.write_text(template.read_text().replace("{{ fields.mrn }}", "{{ fields.mrnn }}"))
    assert "unknown-field" in "".join(site.judged().kept_back)
    assert site.digests() == before


def test_an_output_folder_that_cannot_be_made_keeps_an_edit_back(site, tmp_path):
    (tmp_path / "file").write_text("no folder")
    text = site.toml("one").read_text().replace('directory = "one"', f'directory = "{tmp_path}/file/below"')
    site.toml("one").write_text(text)
    before = site.digests()
    assert [told.split()[1] for told in site.judged().kept_back] == ["output-unwritable"]
    assert site.digests() == before


def test_an_output_folder_that_is_away_is_waited_for_also_by_an_edit(site):
    folder = site.settings.output / "one"
    away = folder.rename(folder.with_name("away"))
    site.add("one", more="[retention]\noriginals = '3d'\n")
    before = site.digests()
    assert site.judged().kept_back == ()
    assert site.digests()["one"] != before["one"]
    assert not folder.exists(), "the disk below is the wrong one"
    site.add("one", more="[retention]\noriginals = '4d'\n")
    established(site.settings)
    assert not folder.exists(), "nor does a start put it there"
    away.rename(folder)
    established(site.settings)


def test_a_new_output_folder_is_made_whatever_names_it(site, tmp_path):
    elsewhere = replace(site.settings, output=tmp_path / "elsewhere")
    established(elsewhere)
    assert (elsewhere.output / "one").is_dir()
    site.toml("two").write_text(site.toml("two").read_text().replace('directory = "two"', 'directory = "three"'))
    assert site.judged().kept_back == ()
    assert (site.settings.output / "three").is_dir()


def test_a_schema_that_breaks_keeps_everything_back_that_uses_it(site):
    schema = site.root / "schemas/referrals.fields.schema.json"
    before = site.digests()
    schema.write_text(schema.read_text()[:-20])
    assert all(told.startswith("schemas/referrals.fields.schema.json:") for told in site.judged().kept_back)
    assert site.digests() == before


def test_a_site_that_is_gone_changes_nothing_and_one_process_less_is_one_less(site):
    before = site.digests()
    (site.root / "mappings").rename(site.root / "away")
    assert "no-process" in site.judged().kept_back[0]
    assert site.digests() == before
    (site.root / "away").rename(site.root / "mappings")
    shutil.rmtree(site.root / "mappings/two")
    assert list(site.judged().processes) == ["one"]


def test_what_did_not_change_stays_the_very_same_object(site):
    current = in_force.read(site.settings.local)
    known = in_force.load(site.settings, current)
    site.add("two", more="[retention]\noriginals = '3d'\n")
    after = in_force.load(site.settings, site.judged(), known)
    assert after["one"] is known["one"]
    assert after["two"] is not known["two"]
    assert after["two"].digest == site.digests()["two"]


def test_copies_that_nobody_needs_are_removed(site):
    for days in range(5):
        site.add("two", more=f"[retention]\noriginals = '{days + 1}d'\n")
        site.judged()
    copies = in_force.folder(site.settings.local) / in_force.COPIES
    assert len(list(copies.iterdir())) == 2, "what is in force, and what was before"


def test_what_is_hidden_or_a_backup_is_no_edit(site):
    before = in_force.fingerprint(site.root)
    for name in (".process.toml.swp", "process.toml~", ".git/index"):
        (site.root / "mappings/one" / name).parent.mkdir(exist_ok=True)
        (site.root / "mappings/one" / name).write_text("x")
    assert in_force.fingerprint(site.root) == before


def test_a_process_behind_a_link_is_watched_and_copied(site, tmp_path):
    shutil.move(site.root / "mappings/two", tmp_path / "elsewhere")
    (site.root / "mappings/two").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/tables").symlink_to(tmp_path / "elsewhere")  # in a circle
    before = in_force.fingerprint(site.root)
    (tmp_path / "elsewhere/mdm_t02.hl7.j2").touch()
    assert in_force.fingerprint(site.root) != before
    assert site.judged().kept_back == ()


def test_a_start_is_strict_and_leaves_what_was_in_force(site):
    before = site.digests()
    site.add("one", more="nonsense = 1\n")
    with pytest.raises(ConfigurationError, match="unknown-key"):
        established(site.settings)
    assert site.digests() == before


def test_settings_survive_the_way_through_an_environment(site):
    changed = replace(site.settings, max_body=12_345)
    assert Settings.from_environment(changed.variables()) == changed
    assert Settings.from_environment(site.settings.variables()) == site.settings


@pytest.mark.parametrize("content", ["", "{", "[]", '{"judged": "x"}', '{"judged": "", "processes": []}'])
def test_a_state_that_is_spoilt_is_made_anew(site, content):
    before = site.digests()
    file = in_force.folder(site.settings.local) / in_force.FILE
    file.write_text(content)
    assert in_force.read(site.settings.local) is None
    established(site.settings)
    assert site.digests() == before


@pytest.mark.parametrize("gone", [in_force.FILE, in_force.COPIES, ""])
def test_an_edit_comes_into_force_also_where_somebody_removed_what_is_in_force(site, gone):
    before = site.digests()
    folders.remove(in_force.folder(site.settings.local) / gone)
    site.toml("one").write_text(site.toml("one").read_text() + "\n# edited\n")
    after = site.judged()
    assert after.digest("one") != before["one"]
    assert after.digest("two") == before["two"]


def test_without_a_state_a_faulty_edit_is_told_and_nothing_comes_into_force(site):
    (in_force.folder(site.settings.local) / in_force.FILE).unlink()
    site.toml("one").write_text("title = ")
    assert judging.main(site.settings) == 1
    assert in_force.read(site.settings.local) is None


def share(site, text: str) -> None:
    folder = site.root / "mappings" / "_shared"
    folder.mkdir(exist_ok=True)
    (folder / "sender.j2").write_text(text)


def test_an_edit_of_a_shared_file_is_taken_up_by_those_who_use_it(site):
    share(site, "{% macro sender() %}RECEIVER{% endmacro %}")
    template = site.root / "mappings" / "one" / "referral.json.j2"
    template.write_text('{% import "_shared/sender.j2" as shared %}' + template.read_text())
    first = site.judged()
    share(site, "{% macro sender() %}CHANGED{% endmacro %}")
    second = site.judged()
    assert second.digest("one") != first.digest("one")
    assert second.digest("two") == first.digest("two")


@pytest.mark.parametrize("text", ["{% macro sender() %}{{ fields.mnr }}{% endmacro %}", "{% macro sender( %}"])
def test_a_faulty_shared_file_is_kept_back_for_those_who_use_it(site, text):
    share(site, "{% macro sender() %}RECEIVER{% endmacro %}")
    template = site.root / "mappings" / "one" / "referral.json.j2"
    used = '{% import "_shared/sender.j2" as shared %}{% if shared.sender() %}{% endif %}'
    template.write_text(used + template.read_text())
    first = site.judged()
    share(site, text)
    second = site.judged()
    assert second.digest("one") == first.digest("one")
    assert any("_shared/sender.j2" in fault for fault in second.kept_back)
    share(site, "{% macro sender() %}MENDED{% endmacro %}")
    assert site.judged().kept_back == ()
