"""The bytes of a section: held in memory, or a file; either way the whole of them."""

import hashlib

import pytest

from receiver import sniffing
from receiver.content import MAX_HELD, take_in
from receiver.delivery import Part, Role
from receiver.store import kept
from receiver.store.stage import Stage


@pytest.fixture
def staged(tmp_path):
    with Stage(tmp_path / "stage").open() as staged:
        yield staged


def pieces(content: bytes, size: int):
    return (content[start : start + size] for start in range(0, len(content), size))


@pytest.mark.parametrize("size", [0, 1, MAX_HELD, MAX_HELD + 1, 3 * MAX_HELD])
@pytest.mark.parametrize("piece", [1000, MAX_HELD, 10**6])
def test_what_is_read_at_once_is_held_unless_it_is_large(staged, tmp_path, size, piece):
    content = bytes(number % 251 for number in range(size))
    taken = take_in(pieces(content, piece), None, staged, ".json", hold=True)
    assert (taken.held is None) == (size > MAX_HELD)
    assert taken.path.exists() == (taken.held is None)
    assert (taken.size, taken.sha256) == (size, hashlib.sha256(content).hexdigest())
    assert taken.head == content[: len(taken.head)]
    assert len(taken.head) >= min(size, sniffing.HEAD)
    part = Part(
        "metadata", None, "", Role.METADATA, ".json", size, taken.sha256, taken.path, "metadata", held=taken.held
    )
    assert part.read() == content
    kept.put(part, tmp_path)
    assert (tmp_path / taken.path.name).read_bytes() == content


@pytest.mark.parametrize("allowed", [10, MAX_HELD, 2 * MAX_HELD])
@pytest.mark.parametrize("hold", [True, False])
def test_of_what_is_larger_than_allowed_one_byte_more_is_taken(staged, allowed, hold):
    content = bytes(3 * MAX_HELD)
    taken = take_in(pieces(content, 1000), allowed, staged, ".json", hold=hold)
    assert taken.size == allowed + 1
    assert taken.sha256 == hashlib.sha256(bytes(allowed + 1)).hexdigest()


def test_what_is_not_to_be_held_is_a_file(staged):
    taken = take_in([b"II*\0"], None, staged, ".tif", hold=False)
    assert (taken.held, taken.path.name, taken.path.stat().st_size) == (None, "1.tif", 4)


def test_what_is_held_is_never_told(staged):
    taken = take_in([b"Ada Example"], None, staged, ".json", hold=True)
    part = Part("metadata", None, "", Role.METADATA, ".json", 11, taken.sha256, taken.path, held=taken.held)
    assert "Ada" not in repr(taken) + repr(part)
