"""Chooses changes by a seed, the same ones as long as their lines stay: in turn from each module and kind."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice, zip_longest

from .changes import Change


def sample(changes: Iterable[Change], count: int, seed: int) -> list[Change]:
    """Return `count` of the changes."""
    modules: dict[object, list[Change]] = defaultdict(list)
    for change in changes:
        modules[change.module].append(change)
    ordered = [list(_by_kind(each, seed)) for each in modules.values()]
    shuffled = sorted(ordered, key=lambda module: _lot(module[0], seed))
    return list(islice(_in_turn(shuffled), count))


def _by_kind(changes: list[Change], seed: int) -> Iterator[Change]:
    kinds: dict[str, list[Change]] = defaultdict(list)
    for change in sorted(changes, key=lambda each: _lot(each, seed)):
        kinds[change.kind].append(change)
    return _in_turn(sorted(kinds.values(), key=lambda kind: _lot(kind[0], seed)))


def _in_turn(rows: Iterable[Iterable[Change]]) -> Iterator[Change]:
    return (change for turn in zip_longest(*rows) for change in turn if change is not None)


def _lot(change: Change, seed: int) -> bytes:
    return hashlib.sha256(f"{seed} {change.module} {change.code} {change.words}".encode()).digest()
