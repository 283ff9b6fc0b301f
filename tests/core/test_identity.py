"""The id of a delivery: the same for the same content on any host and in any release, for retries come years later."""

from pathlib import Path

import pytest

from receiver.core.delivery import Part, Role, delivery_id


def part(name: str, digest: str) -> Part:
    return Part(name, None, "", Role.DOCUMENT, ".bin", 1, digest * 32, Path())


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
