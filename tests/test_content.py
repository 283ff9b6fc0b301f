"""The bytes of a section: held in memory, or a file; either way the whole of them."""

import hashlib

import pytest

from receiver.core.delivery import Part, Role
from receiver.core.problems import Problem
from receiver.delivery import parts
from receiver.delivery.parts import _begin as begin, _take_in as take_in
from receiver.store import kept
from receiver.store.stage import HELD, Stage


@pytest.fixture
def staged(tmp_path):
    with Stage(tmp_path / "stage").open() as staged:
        yield staged


def pieces(content: bytes, size: int):
    return (content[start : start + size] for start in range(0, len(content), size))


@pytest.mark.parametrize("size", [0, 1, HELD, HELD + 1, 3 * HELD])
@pytest.mark.parametrize("piece", [1000, HELD, 10**6])
def test_what_is_small_is_in_no_file_until_it_is_written(staged, tmp_path, size, piece):
    content = bytes(number % 251 for number in range(size))
    taken = take_in(pieces(content, piece), None, staged, ".json", hold=True)
    assert (taken.held is None) == (size > HELD)
    assert taken.path.exists() == (taken.held is None)
    assert (taken.size, taken.sha256) == (size, hashlib.sha256(content).hexdigest())
    part = Part(
        "metadata", None, "", Role.METADATA, ".json", size, taken.sha256, taken.path, "metadata", held=taken.held
    )
    assert part.read() == content
    staged.write([taken.path.name])
    assert taken.path.read_bytes() == content
    kept.put(part, tmp_path)
    assert (tmp_path / taken.path.name).read_bytes() == content


@pytest.mark.parametrize("allowed", [10, HELD, 2 * HELD])
def test_of_what_is_larger_than_allowed_one_byte_more_is_taken(staged, allowed):
    content = bytes(3 * HELD)
    taken = take_in(pieces(content, 1000), allowed, staged, ".json", hold=False)
    assert taken.size == allowed + 1
    assert taken.sha256 == hashlib.sha256(bytes(allowed + 1)).hexdigest()


def test_of_a_delivery_only_so_much_is_held_together(staged):
    taken = [take_in([bytes(HELD // 3 - 9)], None, staged, ".tif", hold=False) for _ in range(5)]
    assert [each.path.exists() for each in taken] == [False, False, False, True, True]
    assert take_in([b"{}"], None, staged, ".json", hold=True).held == b"{}", "what was written leaves room"


def test_what_cannot_be_written_is_never_called_durable(staged):
    taken = take_in([b"II*\0"], None, staged, ".tif", hold=False)
    taken.path.write_bytes(b"somebody else's")
    with pytest.raises(Problem):
        staged.seal()
    assert taken.path.read_bytes() == b"somebody else's"


def test_what_is_held_is_never_told(staged):
    taken = take_in([b"Ada Example"], None, staged, ".json", hold=True)
    part = Part("metadata", None, "", Role.METADATA, ".json", 11, taken.sha256, taken.path, held=taken.held)
    assert "Ada" not in repr(taken) + repr(part)


@pytest.mark.parametrize("size", [0, 1, parts.HEAD - 1, parts.HEAD, 3 * parts.HEAD])
@pytest.mark.parametrize("piece", [1, 1000, 10**6])
def test_a_look_at_the_beginning_loses_nothing(tmp_path, size, piece):
    content = bytes(number % 251 for number in range(size))
    head, arriving = begin(pieces(content, piece))
    assert (head, b"".join(arriving)) == (content[: parts.HEAD], content)
    (tmp_path / "kept").write_bytes(content)
    assert begin(tmp_path / "kept") == (head, tmp_path / "kept")
