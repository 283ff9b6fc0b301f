"""The bytes of a section: held in memory, or a file; either way the whole of them."""

import hashlib

import pytest

from receiver.core.delivery import Part, Role
from receiver.core.problems import Problem
from receiver.delivery import parts
from receiver.store import kept
from receiver.store.stage import Stage
from receiver.store.staged import MEMORY_LIMIT


@pytest.fixture
def staged(tmp_path):
    with Stage(tmp_path / "stage").open() as staged:
        yield staged


def pieces(content: bytes, size: int):
    return (content[start : start + size] for start in range(0, len(content), size))


@pytest.mark.parametrize("size", [0, 1, MEMORY_LIMIT, MEMORY_LIMIT + 1, 3 * MEMORY_LIMIT])
@pytest.mark.parametrize("piece", [1000, MEMORY_LIMIT, 10**6])
def test_what_is_small_is_in_no_file_until_it_is_written(staged, tmp_path, size, piece):
    content = bytes(number % 251 for number in range(size))
    taken = parts.write(pieces(content, piece), None, staged, ".json")
    assert (taken.held is None) == (size > MEMORY_LIMIT)
    assert taken.path.exists() == (taken.held is None)
    assert (taken.size, taken.sha256) == (size, hashlib.sha256(content).hexdigest())
    part = Part(
        *("metadata", None, "", Role.METADATA, ".json", size, taken.sha256, staged.folder, taken.name),
        held=taken.held,
    )
    assert part.read() == content
    staged.write([taken.path.name])
    assert taken.path.read_bytes() == content
    kept.put(part, tmp_path)
    assert (tmp_path / taken.path.name).read_bytes() == content


@pytest.mark.parametrize("allowed", [10, MEMORY_LIMIT, 2 * MEMORY_LIMIT])
def test_of_what_is_larger_than_allowed_one_byte_more_is_taken(staged, allowed):
    content = bytes(3 * MEMORY_LIMIT)
    taken = parts.write(pieces(content, 1000), allowed, staged, ".json")
    assert taken.size == allowed + 1
    assert taken.sha256 == hashlib.sha256(bytes(allowed + 1)).hexdigest()


def test_of_a_delivery_only_so_much_is_held_together(staged):
    taken = [parts.write([bytes(MEMORY_LIMIT // 3 - 9)], None, staged, ".tif") for _ in range(5)]
    assert [each.path.exists() for each in taken] == [False, False, False, True, True]
    assert parts.write([b"{}"], None, staged, ".json").held == b"{}", "what was written leaves room"


def test_what_cannot_be_written_is_never_called_durable(staged):
    taken = parts.write([b"II*\0"], None, staged, ".tif")
    taken.path.write_bytes(b"somebody else's")
    with pytest.raises(Problem):
        staged.seal()
    assert taken.path.read_bytes() == b"somebody else's"


def test_what_is_held_is_never_told(staged):
    taken = parts.write([b"Ada Example"], None, staged, ".json")
    part = Part(
        "metadata", None, "", Role.METADATA, ".json", 11, taken.sha256, staged.folder, taken.name, held=taken.held
    )
    assert "Ada" not in repr(taken) + repr(part)


@pytest.mark.parametrize("size", [0, 1, parts.HEAD - 1, parts.HEAD, 3 * parts.HEAD])
@pytest.mark.parametrize("piece", [1, 1000, 10**6])
def test_a_look_at_the_beginning_loses_nothing(tmp_path, size, piece):
    content = bytes(number % 251 for number in range(size))
    begun, rest = parts.begin(pieces(content, piece))
    assert len(begun) >= min(size, parts.HEAD)
    assert begun + b"".join(rest) == content
    assert parts.begin(iter([bytes(parts.HEAD), b"x"]))[0] == bytes(parts.HEAD), "no more than that is asked for"
    (tmp_path / "kept").write_bytes(content)
    assert parts.begin(tmp_path / "kept")[0] == content[: parts.HEAD]
