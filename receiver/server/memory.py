"""What a worker does with memory that is free again: it keeps some for the next delivery.

glibc gives larger pieces back to the kernel, which clears each page anew for whoever asks next, and gives each of the
first threads a heap of its own. That took a fifth of the CPU of a document of 1 MB.
"""

import ctypes

from receiver.core import limits

TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8  # malloc.h, mallopt(3)
OPTIONS = {
    MMAP_THRESHOLD: 2 * limits.READ_SIZE,  # bytes of a piece that is given back: what is read at once is none
    TRIM_THRESHOLD: 4 * limits.READ_SIZE,  # bytes kept at the end of the heap: two such pieces
    ARENA_MAX: 1,  # heaps: threads take turns to run Python, so they do not wait for each other's
}


def keep() -> None:
    """Keep free memory from now on, before any thread has a heap; other C libraries have no such options."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, value in OPTIONS.items():
            mallopt(option, value)
