"""A page for all who ask: made by one thread at a time, and for a share of the processor's time."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from receiver.operations.metrics import REST, Page


def test_who_asks_alone_gets_a_page_that_was_begun_after_the_question():
    numbers = count()
    page = Page(lambda: b"%d" % next(numbers))
    assert [page() for _ in range(3)] == [b"0", b"1", b"2"]


def test_who_asks_while_a_page_is_made_gets_the_one_before():
    begun, may_end, numbers = threading.Event(), threading.Event(), count()

    def make() -> bytes:
        number = next(numbers)
        if number:
            begun.set()
            assert may_end.wait(60)
        return b"%d" % number

    page = Page(make)
    page()
    with ThreadPoolExecutor(1) as threads:
        second = threads.submit(page)
        assert begun.wait(60)
        assert page() == b"0"
        may_end.set()
        assert second.result() == b"1"


def test_pages_take_no_more_than_a_share_of_the_processor():
    def make() -> bytes:
        end = time.thread_time() + 0.02
        while time.thread_time() < end:
            pass
        return b""

    page = Page(make)
    begun = time.monotonic()
    for _ in range(5):
        page()
    assert time.monotonic() - begun >= 4 * 0.02 * (1 + REST) * 0.95
