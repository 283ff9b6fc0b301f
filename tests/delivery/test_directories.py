"""A second importing system: records, or a batch, in another output folder than the process's own."""

import json
import os
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from receiver import cli
from receiver.core.problems import Code, Problem
from receiver.operations import health, rehearsal, republish
from receiver.store import publish
from tests.support.batch_site import PROCESS, BatchSite, deliver

TWO = (
    PROCESS.split("[[records]]")[0]
    + """
[output]
documents = "{{ delivery.id }}{{ document.suffix }}"
[retention]
originals = "1d"
[[records]]
template = "row.csv.j2"
path = "{{ delivery.id }}.csv"
[[records]]
template = "row.csv.j2"
path = "in/{{ delivery.id }}.csv"
directory = "billing"
"""
)
ROW = {"row.csv.j2": "{{ fields.name }},{{ delivery.source_id }}\n"}


@pytest.fixture
def site(tmp_path):
    return BatchSite.at(tmp_path, TWO, ROW)


def published(site) -> set[str]:
    root = site.settings.output
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_each_importing_system_gets_its_own_files(site):
    receipt = deliver(site.context(), "1", document=True)
    id_ = receipt.id
    assert published(site) == {f"index/{id_}.tif", f"index/{id_}.csv", f"billing/in/{id_}.csv"}
    assert [output.path for output in receipt.records] == [f"index/{id_}.csv", f"billing/in/{id_}.csv"]


def test_a_crash_before_the_second_folder_is_finished_by_recovery(site, monkeypatch):
    context = site.context()

    def fails(*_):
        raise Problem(Code.STORAGE_FAILED, "the power is gone")

    with monkeypatch.context() as patch:
        patch.setattr(publish, "release", fails)
        id_ = deliver(context, "1").id
    assert published(site) == set()
    for stage in context.stages.values():
        stage.close()
    context.ledger.close()
    site.context()
    assert published(site) == {f"index/{id_}.csv", f"billing/in/{id_}.csv"}


def test_a_second_folder_that_is_gone_is_not_made_anew_below_a_disk_that_is_away(site):
    context = site.context()
    (site.settings.output / "billing").rmdir()
    with pytest.raises(Problem):
        deliver(context, "1")
    assert published(site) == set()
    assert [check.ready for check in health.checks(context) if "billing" in check.reason] == [False]


def test_each_folder_belongs_to_its_own_group(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root, to give files to groups")
    toml = TWO.replace("[output]\n", '[output]\ngroup = "users"\n') + 'group = "mail"\n'
    site = BatchSite.at(tmp_path, toml, ROW)
    id_ = deliver(site.context(), "1").id
    root = site.settings.output
    groups = {path.group() for path in (root / "index" / f"{id_}.csv", root / "index")}
    assert groups <= {"users"} | {(root / "index").group()}
    assert (root / "index" / f"{id_}.csv").group() == "users"
    assert (root / "billing" / "in" / f"{id_}.csv").group() == "mail"


def test_a_lost_file_of_the_second_system_is_published_again(site):
    context = site.context()
    id_ = deliver(context, "1").id
    lost = site.settings.output / "billing" / "in" / f"{id_}.csv"
    content = lost.read_bytes()
    lost.unlink()
    entry = context.ledger.find(id_)
    assert republish.republish(context, entry, datetime.now(UTC), "test").again == 1
    assert lost.read_bytes() == content
    assert rehearsal.rehearse(context, context.ledger.find(id_)).result is rehearsal.Result.SAME


def test_a_batch_goes_to_its_own_folder(tmp_path):
    toml = PROCESS.replace('path = "index-', 'directory = "billing"\npath = "index-')
    site = BatchSite.at(tmp_path, toml)
    context = site.context()
    for source_id in "123":
        deliver(context, source_id)
    assert published(site) == {"billing/index-1.csv"}


def receiver(site, *arguments):
    environment = {"RECEIVER_SITE": str(site.root), "RECEIVER_DATA": str(site.root / "var")}
    return CliRunner().invoke(cli.main, [*arguments], env=environment, catch_exceptions=False)


@pytest.mark.parametrize("directory", ["index", "index/billing", "."])
def test_folders_that_are_not_apart_are_refused(tmp_path, directory):
    site = BatchSite.at(tmp_path, TWO.replace('"billing"', json.dumps(directory)), ROW)
    result = receiver(site, "check")
    assert result.exit_code == 1
    assert "output-shared" in result.output or "bad-path" in result.output


def test_a_sample_names_the_folder_of_its_record(site):
    folder = site.root / "mappings" / "index" / "samples" / "one"
    folder.mkdir(parents=True)
    metadata = {"sourceId": "s-1", "fields": [{"name": "name", "value": "Ada Invented"}]}
    (folder / "metadata.json").write_text(json.dumps(metadata))
    assert receiver(site, "test", "--update").exit_code == 0
    expected = folder / "expected"
    assert [path.parent.name for path in sorted(expected.rglob("*.csv"))] == ["expected", "in"]
    assert next(expected.glob("billing/in/*.csv")).read_text() == "Ada Invented,s-1\n"
    assert receiver(site, "test").exit_code == 0


def test_verify_knows_the_files_of_each_folder(site):
    context = site.context()
    id_ = deliver(context, "1").id
    assert receiver(site, "verify", "--every-file").exit_code == 0
    (site.settings.output / "billing" / "in" / f"{id_}.csv").write_text("changed")
    assert "differs" in receiver(site, "verify").output


def test_a_process_without_a_second_folder_keeps_its_rows_as_they_were(tmp_path):
    site = BatchSite.at(tmp_path, TWO.replace('directory = "billing"\n', ""), ROW)
    context = site.context()
    entry = context.ledger.find(deliver(context, "1").id)
    assert {output.root for output in entry.outputs} == {""}
    assert entry._replace(groups={}) == entry
