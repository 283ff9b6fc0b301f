"""One fsync of a folder for all threads that wait for it: each is served by one that began after it had asked."""

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path

from receiver.store import durable


@dataclass(slots=True, eq=False)
class _Sync:
    """One fsync that is to come, and those who wait for it: the one who asked first does it."""

    may_begin: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    error: BaseException | None = None


_mutex = threading.Lock()  # for the one below
_next: dict[Path, _Sync | None] = {}  # by folder that is being synced: the fsync after that one, if it is asked for


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable, as `durable.sync_folder` does. Raises Problem."""
    with _mutex:
        at_work = folder in _next
        sync = _next.get(folder)
        leads = sync is None
        if sync is None:
            sync = _Sync()
            _next[folder] = sync if at_work else None
    if not leads:
        sync.ended.wait()
    else:
        if at_work:
            sync.may_begin.wait()
        _lead(folder, sync)
    if sync.error is not None:
        raise sync.error


def _lead(folder: Path, sync: _Sync) -> None:
    """Sync, tell those who wait for it, and let the next one begin."""
    try:
        durable.sync_folder(folder)
    except BaseException as error:  # noqa: BLE001 (every waiting thread must hear of it)
        sync.error = error
    finally:
        _let_next_begin(folder)
        sync.ended.set()


def _let_next_begin(folder: Path) -> None:
    with _mutex:
        following = _next[folder]
        if following is None:
            del _next[folder]
        else:
            _next[folder] = None  # from here on, who asks is served by the one after
            following.may_begin.set()


def _forget() -> None:
    """Begin anew in a forked child, in which none of the threads at work goes on."""
    global _mutex  # it may be held by a thread that the child does not have
    _mutex = threading.Lock()
    _next.clear()


os.register_at_fork(after_in_child=_forget)
