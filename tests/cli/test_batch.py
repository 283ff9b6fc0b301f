"""`receiver batch`, and what the other verbs tell of batches."""

import json

import pytest
from click.testing import CliRunner

from receiver import cli
from tests.support.batch_site import PROCESS, BatchSite, deliver


@pytest.fixture
def site(tmp_path):
    return BatchSite.at(tmp_path)


def receiver(site, *arguments, code=0):
    environment = {"RECEIVER_SITE": str(site.root), "RECEIVER_DATA": str(site.root / "var")}
    result = CliRunner().invoke(cli.main, [*arguments], env=environment, catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.output


def test_list_tells_how_each_batch_stands(site):
    context = site.context()
    for source_id in "1234":
        deliver(context, source_id)
    told = [json.loads(line) for line in receiver(site, "batch", "list", "--json").splitlines()]
    assert [(each["id"], each["status"], each["count"]) for each in told] == [
        ("index/daily/2", "open", 1),
        ("index/daily/1", "published", 3),
    ]
    assert told[1]["file"]["path"] == "index/index-1.csv"
    assert "index/daily/2" in receiver(site, "batch", "list", "index")


def test_show_tells_the_deliveries_of_a_batch_and_the_batch_of_a_delivery(site):
    context = site.context()
    ids = [deliver(context, source_id).id for source_id in "123"]
    told = json.loads(receiver(site, "batch", "show", "index/daily/1", "--json"))
    assert [each["delivery"] for each in told["records"]] == ids
    assert "there" in receiver(site, "batch", "show", "index/daily/1")
    assert json.loads(receiver(site, "show", ids[0], "--json"))["batches"] == ["index/daily/1"]
    assert "index/daily/1" in receiver(site, "show", ids[0])
    assert "daily/1" in receiver(site, "log")
    assert json.loads(receiver(site, "log", "--json").splitlines()[0])["batches"] == ["index/daily/1"]


@pytest.mark.parametrize("written", ["index/daily/9", "index/daily", "9", "index/daily/x"])
def test_a_batch_that_is_not_there_is_told_so(site, written):
    site.context()
    assert "there is no batch" in receiver(site, "batch", "show", written, code=1)


@pytest.mark.parametrize("which", [[], ["index"], ["index/daily"]])
def test_close_publishes_what_is_open(site, which):
    deliver(site.context(), "1")
    assert "published" in receiver(site, "batch", "close", *which)
    assert list(site.files()) == ["index-1.csv"]
    assert "no batch is open" in receiver(site, "batch", "close", *which)


def test_close_leaves_other_batches_open(site):
    deliver(site.context(), "1")
    receiver(site, "batch", "close", "index/weekly")
    assert site.files() == {}


def test_status_tells_what_waits_also_of_what_is_configured_no_longer(site):
    deliver(site.context(), "1")
    assert "index/daily/1  open " in receiver(site, "status")
    gone = PROCESS.split("[batches")[0].replace('batch = "daily"', 'path = "{{ delivery.id }}.csv"')
    site.write("process.toml", gone)
    site.write("row.csv.j2", "{{ fields.name }}\n")
    assert "open, and configured no longer" in receiver(site, "status")


def test_no_value_of_a_record_is_shown(site):
    context = site.context()
    ids = [deliver(context, source_id, name="Zoe Planted", amount="77.25").id for source_id in "12"]
    told = receiver(site, "batch", "list") + receiver(site, "batch", "show", "index/daily/1", "--json")
    told += receiver(site, "log", "--json") + receiver(site, "show", ids[0])
    assert "Zoe" not in told
    assert "77.25" not in told


def sample(site, name="one", amount="1.50"):
    folder = site.root / "mappings" / "index" / "samples" / name
    folder.mkdir(parents=True)
    fields = [{"name": "name", "value": "Ada Invented"}, {"name": "amount", "value": amount}]
    (folder / "metadata.json").write_text(json.dumps({"sourceId": "s-1", "fields": fields}))
    return folder


def test_a_sample_becomes_the_batch_that_it_would_make_alone(site):
    folder = sample(site)
    receiver(site, "test", "--update")
    content = (folder / "expected" / "index-1.csv").read_bytes().decode()
    assert content == "name,amount,document\r\nAda Invented,1.50,s-1\r\n1,1.50,1\r\n"
    assert "1 of 1" in receiver(site, "test", "--coverage") or "ok" in receiver(site, "test")
    assert "batch of this alone index-1.csv" in receiver(site, "try", "index", "one")


def test_check_proves_header_and_trailer_with_the_samples(site):
    sample(site)
    receiver(site, "test", "--update")
    site.write("trailer.csv.j2", "{{ batch.count }},{{ exported | sum_of('weight') }},\n")
    told = receiver(site, "check", code=1)
    assert "trailer.csv.j2:1" in told
    assert "weight" in told


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("header.csv.j2", "{{ fields.name }}\n", "a batch knows no single delivery"),
        ("trailer.csv.j2", "a {{ batch.count }}\n", "escape-place"),  # escaped as the records are
        ("trailer.csv.j2", "{% set exported.amount = 1 %}\n", "unknown-name"),
        ("row.csv.j2", "{% set exported = 1 %}\n", "name-taken"),
        ("row.csv.j2", "{{ batch.number }}\n", "unknown-name"),  # not known before the batch closes
    ],
)
def test_faults_of_the_templates_of_a_batch_are_found_without_a_delivery(site, name, text, code):
    site.write(name, text)
    assert code in receiver(site, "check", code=1)


def test_a_batch_that_nothing_closes_in_time_is_warned_of(tmp_path):
    site = BatchSite.at(tmp_path, PROCESS.replace(', after = "1d"', ""))
    assert "batch-waits" in receiver(site, "check")


def test_exported_is_for_records_of_a_batch(tmp_path):
    site = BatchSite.at(tmp_path, PROCESS.split("[batches")[0].replace('batch = "daily"', 'path = "{{ delivery.id }}"'))
    assert "unknown-name" in receiver(site, "check", code=1)
