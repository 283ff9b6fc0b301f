"""`receiver capture`: a kept delivery becomes a sample case, as it came or scrubbed."""

import json
import os
import stat
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests.support.small_site import FIELDS, SmallSite, metadata

NAME = "Ophelia Inventedname"
SENT = FIELDS | {"name": NAME, "mrn": "98765432", "gender": "female"}


def tiff():
    file = BytesIO()
    Image.new("1", (30, 40)).save(file, "TIFF")
    return file.getvalue()


SCAN = ("file", f"{NAME}.tif", "image/tiff", tiff())


def sections(fields=SENT, kind="application/json", **rest):
    return SCAN, ("metadata", None, kind, metadata(fields, **rest))


@pytest.fixture
def site(tmp_path):
    return SmallSite(tmp_path / "site")


def case(site, name="real"):
    folder = site.folder / "samples" / name
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_refused_delivery_becomes_a_case_that_is_refused(site):
    id_ = site.deliver(*sections(SENT | {"mrn": "12"}))
    told = site.receiver("capture", id_, "--as", "real", "--real")
    assert told.exit_code == 0
    files = case(site)
    assert files[f"{NAME}.tif"] == SCAN[3]
    assert json.loads(files["expected/problem.json"])["code"] == "fields-invalid"
    assert site.receiver("test").exit_code == 0


def test_a_published_delivery_becomes_a_case_of_the_same_id(site):
    id_ = site.deliver(*sections(), retention=True)
    assert site.receiver("capture", id_, "--as", "real", "--real").exit_code == 0
    files = case(site)
    assert {f"expected/{id_}{suffix}" for suffix in (".hl7", ".json", ".xml", ".csv", ".txt", ".done")} <= set(files)
    assert NAME.encode() in files[f"expected/{id_}.txt"]


@pytest.mark.parametrize(
    "section",
    [
        ("file", "scan.tif", "image/tiff", tiff()),
        ("file", None, "image/tiff", tiff()),
        ("file", "../up/scan.tif", "image/tiff", tiff()),
        ("file", 'a "b" c=d.tif', "image/tiff", tiff()),
        ("file", "x--y.tif", "image/tiff", tiff()),
        ("file", "request.http", "application/octet-stream", b"sample-case-boundary"),
        ("file", "file" * 80 + ".tif", "image/tiff", tiff()),
        ("file", "Zoë.tif", "image/tiff", tiff()),
    ],
)
def test_whatever_its_names_and_types_the_case_is_the_very_delivery(site, section):
    id_ = site.deliver(section, sections()[1], retention=True)
    assert site.receiver("capture", id_, "--as", "real", "--real").exit_code == 0
    assert f"expected/{id_}.hl7" in case(site)
    (document,) = [part for part in site.outcome("real").parts if part.name == "file"]
    assert (document.filename, document.type) == section[1:3]
    assert site.receiver("test").exit_code == 0


def test_a_type_that_says_nothing_is_told_by_content_in_the_case_too(site):
    id_ = site.deliver(("file", "scan.tif", "application/octet-stream", tiff()), sections()[1], retention=True)
    assert site.receiver("capture", id_, "--as", "real", "--real").exit_code == 0
    (document,) = [part for part in site.outcome("real").parts if part.name == "file"]
    assert (document.filename, document.type) == ("scan.tif", "image/tiff")
    assert site.receiver("test").exit_code == 0


def test_a_scrubbed_case_holds_nothing_of_the_delivery(site):
    id_ = site.deliver(*sections(), retention=True)
    told = site.receiver("capture", id_, "--as", "real")
    assert told.exit_code == 0
    files = case(site)
    everything = " ".join([*files, *(content.decode("utf-8", "replace") for content in files.values())])
    for secret in (id_, *NAME.split(), "98765432", "note-1", "R06.09"):
        assert secret not in everything
    assert tiff() not in files.values()
    assert "<gender>female</gender>" in everything
    assert "female" in told.stdout.splitlines()[-1]
    assert set(files) >= {"file.tif", "metadata.json"}
    Image.open(BytesIO(files["file.tif"])).load()
    assert site.receiver("test").exit_code == 0


def test_a_scrubbed_case_is_refused_for_the_same_rules(site):
    id_ = site.deliver(*sections(SENT | {"mrn": "12", "gender": "unheard"}))
    site.receiver("capture", id_, "--as", "real", "--real")
    site.receiver("capture", id_, "--as", "scrubbed")
    real, scrubbed = (case(site, name)["expected/problem.json"] for name in ("real", "scrubbed"))
    assert real == scrubbed
    assert b'"rule": "pattern"' in real
    assert b'"rule": "enum"' in real


def test_a_delivery_held_for_its_confidence_is_held_again(site):
    id_ = site.deliver(*sections(confidence=0.3))
    assert site.receiver("capture", id_, "--as", "real").exit_code == 0
    assert json.loads(case(site)["expected/problem.json"])["code"] == "confidence-low"


def test_metadata_that_cannot_be_read_is_captured_as_it_is_or_not_at_all(site):
    id_ = site.deliver(SCAN, ("metadata", None, "application/json", b'{"name": "Ophelia'))
    told = site.receiver("capture", id_, "--as", "real")
    assert told.exit_code == 1
    assert "cannot be read" in told.stderr
    assert not (site.folder / "samples").exists()
    assert site.receiver("capture", id_, "--as", "real", "--real").exit_code == 0
    assert case(site)["metadata.json"] == b'{"name": "Ophelia'


def test_a_delivery_without_its_parts_can_be_scrubbed(site):
    id_ = site.deliver(SCAN)
    assert site.receiver("capture", id_, "--as", "real").exit_code == 0
    assert json.loads(case(site)["expected/problem.json"])["code"] == "part-missing"


@pytest.mark.parametrize("name", ["../up", "", ".hidden", "a/b", "a b"])
def test_a_case_has_a_plain_name(site, name):
    id_ = site.deliver(*sections(SENT | {"mrn": "12"}))
    told = site.receiver("capture", id_, "--as", name, "--real")
    assert told.exit_code == 2
    assert not (site.folder / "samples").exists()


def test_a_case_is_never_overwritten(site):
    id_ = site.deliver(*sections(SENT | {"mrn": "12"}))
    site.receiver("capture", id_, "--as", "real", "--real")
    before = case(site)
    assert site.receiver("capture", id_, "--as", "real").exit_code == 2
    assert case(site) == before


@pytest.mark.parametrize("id_", ["A" * 20, "*", "../x"])
def test_what_is_not_kept_is_misuse(site, id_):
    site.deliver(*sections(SENT | {"mrn": "12"}))
    told = site.receiver("capture", id_, "--as", "real", "--real")
    assert told.exit_code == 2
    assert "no delivery" in told.stderr


def test_a_case_is_scrubbed_unless_real_is_said(site):
    id_ = site.deliver(*sections(), retention=True)
    site.receiver("capture", id_, "--as", "scrubbed")
    assert NAME.encode() not in b"".join(case(site, "scrubbed").values())
    site.receiver("capture", id_, "--as", "real", "--real")
    assert NAME.encode() in b"".join(case(site).values())


def modes(site) -> set[tuple[bool, int, int, int]]:
    folder = site.folder / "samples" / "real"
    states = [(path.is_dir(), path.stat()) for path in (folder, *folder.rglob("*"))]
    return {(is_dir, stat.S_IMODE(state.st_mode), state.st_uid, state.st_gid) for is_dir, state in states}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write for others")
def test_what_root_captures_is_the_sites_owners_and_no_strangers(site):
    id_ = site.deliver(*sections(), retention=True)
    os.chown(site.folder, 4321, 4322)
    before = os.umask(0)
    try:
        assert site.receiver("capture", id_, "--as", "real", "--real").exit_code == 0
        assert os.umask(0) == 0
    finally:
        os.umask(before)
    assert modes(site) == {(True, 0o750, 4321, 4322), (False, 0o640, 4321, 4322)}
    samples = (site.folder / "samples").stat()
    assert (samples.st_uid, stat.S_IMODE(samples.st_mode)) == (4321, 0o750)


@pytest.mark.parametrize("closed", ["quarantine", "samples"])
def test_who_may_not_is_told_what_to_do(site, monkeypatch, closed):
    id_ = site.deliver(*sections(SENT | {"mrn": "12"}))
    (site.folder / "samples").mkdir(exist_ok=True)
    accessible = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != closed and accessible(path, mode))
    told = site.receiver("capture", id_, "--as", "real")
    assert told.exit_code == 1
    assert f"belongs to {Path(site.folder).owner()}. Run this as root" in told.output
    assert not (site.folder / "samples" / "real").exists()
