"""An empty site is ready for its first process."""

from receiver.authoring.draft import draft
from receiver.site.config import schema
from tests.support.new_sites import ROOT, made


def test_a_new_site_has_its_folders_and_the_platforms_schemas(tmp_path):
    site = made(tmp_path)
    files = {path.relative_to(site.folder).as_posix() for path in site.folder.rglob("*")}
    known = {f"schemas/{name}" for name in draft.KNOWN}
    assert files == {"README.md", ".gitignore", "process.schema.json", "mappings", "schemas", *known}
    assert site.text("process.schema.json") == schema.text()


def test_it_waits_for_its_first_process(tmp_path):
    told = made(tmp_path).run("check", code=1)
    assert "no-process" in told.stdout


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    site = made(tmp_path / "x")
    assert "holds something already" in site.run("init", tmp_path, code=2).stderr
    assert {path.name for path in tmp_path.iterdir()} == {"notes.txt", "x"}


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "site").mkdir()
    assert made(tmp_path).text("README.md").startswith("# A site of receiver")


def test_the_schemas_of_the_package_are_those_of_the_shipped_site():
    for name in draft.KNOWN:
        assert (draft.SHIPPED_SCHEMAS / name).read_bytes() == (ROOT / "schemas" / name).read_bytes()


def test_the_readme_names_verbs_that_are_there(tmp_path):
    site = made(tmp_path)
    for line in site.text("README.md").splitlines():
        if line.startswith("    receiver "):
            site.run(line.split()[1], "--help")
