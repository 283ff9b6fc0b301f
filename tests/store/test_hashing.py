"""The digest of a file is that of its bytes, however they came and wherever they were hashed."""

import hashlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from receiver.core import processors
from receiver.store.staged import LARGE, PIECE, Hashing

MB = bytes(range(256)) * 4096


def hashed_by_threads() -> int:
    return sum(thread.name == "hashing" for thread in threading.enumerate())


@pytest.mark.parametrize(
    "sizes",
    [
        [],
        [0, 1, 5],
        [len(MB)] * 9,
        [len(MB)] * 5 + [1, len(MB), 0, PIECE - 1, PIECE, 7],
        [LARGE, LARGE + 1, 3],
    ],
)
def test_large_and_small_pieces_are_hashed_in_their_order(sizes):
    begun, whole = hashlib.sha256(), b""
    hashing = Hashing(begun)
    for number, size in enumerate(sizes):
        piece = bytes([number % 256]) + (MB * 5)[: size - 1] if size else b""
        hashing.update(piece)
        whole += piece
        if number % 3 == 2:
            hashing.settle()
            assert begun.hexdigest() == hashlib.sha256(whole).hexdigest(), "also while more is to come"
    hashing.settle()
    hashing.close()
    assert begun.hexdigest() == hashlib.sha256(whole).hexdigest()
    assert hashed_by_threads() == 0


def test_what_is_given_up_leaves_no_thread_behind():
    hashing = Hashing(hashlib.sha256())
    for _ in range(6):
        hashing.update(MB)
    assert hashed_by_threads() == 1
    hashing.close()
    hashing.close()
    assert hashed_by_threads() == 0


def test_it_goes_on_wherever_there_is_room_also_for_a_thread_that_is_bound():
    hashing = Hashing(hashlib.sha256())
    try:
        with ThreadPoolExecutor(1, initializer=processors.bind, initargs=(0,)) as bound:
            bound.submit(hashing.update, MB).result()
        hashing.settle()
        [thread] = [each for each in threading.enumerate() if each.name == "hashing"]
        assert os.sched_getaffinity(thread.native_id) == set(processors.ALLOWED)
    finally:
        hashing.close()
