"""What a delivery consists of; its id is the same on any host and in any release, for retries come years later."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from receiver.core.delivery import (
    Kind,
    Output,
    Part,
    Reading,
    Receipt,
    Record,
    Region,
    Replay,
    Role,
    Section,
    Status,
    delivery_id,
)


def part(name: str, digest: str) -> Part:
    return Part(name, None, "", Role.DOCUMENT, ".bin", 1, digest * 32, Path(), "file")


FILE, METADATA = part("file", "0a"), part("metadata", "f1")


@pytest.mark.parametrize(
    ("source_id", "parts", "expected"),
    [
        ("1", [FILE, METADATA], "3DWDKCO6UM63LPNZP5RC"),
        ("1", [FILE], "GFZC2WFNMWFD4QGQ4IQZ"),
        ("Zoë\n", [part("sëite", "0a")], "IDBTC7YJWM3F4WVGW3BS"),
    ],
)
def test_an_id_never_changes(source_id, parts, expected):
    assert delivery_id("referrals", source_id, parts) == expected


def test_only_what_counts_makes_another_id():
    same = delivery_id("p", "1", [FILE, METADATA])
    assert delivery_id("p", "1", [METADATA, FILE]) == same
    others = [("q", "1", [FILE, METADATA]), ("p", "2", [FILE, METADATA]), ("p", "1", [METADATA])]
    others += [("p", "1", [part("file", "0b"), METADATA]), ("p", "1", [part("fil", "0a"), METADATA])]
    assert len({same, *(delivery_id(*other) for other in others)}) == 6


def test_the_metadata_is_left_out_of_an_id_of_documents_unless_nothing_else_came():
    metadata = METADATA._replace(role=Role.METADATA)
    alone = delivery_id("p", "1", [FILE])
    assert delivery_id("p", "1", [metadata, FILE], "documents") == alone
    assert delivery_id("p", "1", [metadata, FILE], "parts") == delivery_id("p", "1", [metadata, FILE]) != alone
    assert delivery_id("p", "1", [metadata], "documents") == delivery_id("p", "1", [metadata])


@pytest.mark.parametrize(
    "shown",
    [
        Section("metadata", None, "application/json", content=[b"Invented"]),
        METADATA._replace(held=b"Invented"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_is_in_a_part_is_in_no_text_of_it(shown):
    assert "Invented" not in repr(shown)


def test_sections_are_equal_if_their_heads_are():
    head = Section("file", None, "image/tiff")
    assert head == Section("file", None, "image/tiff", content=[b"II*"])
    assert head != Section("file", "a.tif", "image/tiff")


def test_a_part_is_read_from_memory_or_its_file(tmp_path):
    (tmp_path / "1.tif").write_bytes(b"II*")
    assert FILE._replace(folder=tmp_path, file="1.tif").read() == b"II*"
    assert FILE._replace(folder=tmp_path, file="none", held=b"").read() == b""


def test_what_is_not_said_of_a_delivery_is_not_so():
    assert Section("file", None, "").content == ()
    assert FILE.held is None
    assert Reading("1", {}, {}, {}).tables == {}
    assert Record("a", b"").exported == {}
    assert Region(1, ()).places == 1
    receipt = Receipt("A", Status.PUBLISHED, "p", "1", 1)
    assert (receipt.duplicate, receipt.again, receipt.problem) == (False, False, None)
    looked = Replay(datetime(2026, 1, 2, tzinfo=UTC), "Ada")
    assert (looked.accept_confidence, looked.accept_rules) == (False, False)


@pytest.mark.parametrize(
    ("given", "note"),
    [
        ({}, ""),
        ({"corrections": {"mrn": "1"}}, ", 1 field corrected"),
        ({"corrections": {"mrn": "1", "net": "2"}}, ", 2 fields corrected"),
        ({"accept_confidence": True}, ", low confidence accepted"),
        ({"accept_rules": True}, ", broken rules accepted"),
    ],
)
def test_a_replay_is_told_by_who_asked_for_it_and_what_was_accepted(given, note):
    assert Replay(datetime(2026, 1, 2, tzinfo=UTC), "Ada", **given).note == f"replay by Ada{note}"


def test_a_record_is_told_with_an_output_folder_of_its_own():
    assert Record("a/b.csv", b"").shown_path == "a/b.csv"
    assert Record("a/b.csv", b"", root=Path("/out")).shown_path == "/out/a/b.csv"


def test_an_output_goes_to_the_folder_of_its_final_name():
    assert Output(Kind.RECORD, "1", "a/b", "/out/a/b", 1, "").folder == "/out/a"
