"""Who waits for a helper: nobody for long behind another process's documents, not without bound, and without a turn."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from receiver.core.problems import Code, Problem
from receiver.core.work import Turns
from receiver.documents import helpers
from receiver.documents.helpers import Helpers
from tests.support.drawing import drawn


class Held:
    """A helper that answers what it is asked, once it may."""

    def __init__(self):
        self.asked = threading.Semaphore(0)
        self.may_answer = threading.Event()

    def ask(self, question, seconds, take=None):
        self.asked.release()
        assert self.may_answer.wait(60)
        return question


@contextmanager
def held(count):
    """Yield helpers that are all one, and those threads that ask them."""
    helper, helpers = Held(), Helpers(count)
    helpers._free = [helper] * count
    with ThreadPoolExecutor(64) as threads:
        try:
            yield helper, lambda process: threads.submit(helpers.ask, process, {"process": process}, 20)
        finally:
            helper.may_answer.set()


def test_a_document_finds_a_helper_however_many_another_process_has_sent():
    with held(2) as (helper, ask):
        many = [ask("busy") for _ in range(10)]
        assert helper.asked.acquire(timeout=60)
        one = ask("other")
        assert helper.asked.acquire(timeout=60)  # though nobody has had an answer yet
        assert not any(each.done() for each in many)
        helper.may_answer.set()
        assert one.result() == {"process": "other"}
        assert [each.result() for each in many] == [{"process": "busy"}] * 10


def test_only_so_many_wait_and_the_next_is_told_to_come_again(monkeypatch):
    monkeypatch.setattr(helpers, "MAX_WAITING", 3)
    with held(2) as (_, ask):
        asked = [ask("busy") for _ in range(5)]
        done = next(each for each in asked if wait_for(each))
        with pytest.raises(Problem) as caught:
            done.result()
        assert caught.value.code is Code.BUSY


def wait_for(future):
    """Tell whether a document is refused: the only one that ends while the helper is held."""
    try:
        future.result(timeout=1)
    except TimeoutError:
        return False
    except Problem:
        return True
    return False


def test_who_waits_long_is_told_to_come_again(monkeypatch):
    monkeypatch.setattr(helpers, "MAX_SECONDS", 0.05)
    with held(2) as (helper, ask):
        ask("busy")
        assert helper.asked.acquire(timeout=60)
        with pytest.raises(Problem, match="Other documents"):
            ask("busy").result()


def test_who_waits_for_a_helper_holds_no_turn_at_work():
    turns = Turns(1)
    with held(2) as (helper, _), ThreadPoolExecutor(1) as threads:

        def convert():
            with turns:
                helpers = Helpers(2)
                helpers._free = [helper] * 2
                return helpers.ask("busy", {"process": "busy"}, 20)

        waiting = threads.submit(convert)
        assert helper.asked.acquire(timeout=60)
        with turns:  # or this test never ends
            assert not waiting.done()
        helper.may_answer.set()
        assert waiting.result() == {"process": "busy"}


def test_documents_are_read_by_several_at_once(part):
    helpers = Helpers(3)
    fax = part([drawn("1")] * 2)
    question = {"task": "pages", "path": str(fax.path), "type": fax.type}
    with ThreadPoolExecutor(8) as threads:
        counted = list(threads.map(lambda number: helpers.ask(f"p{number % 3}", question, 30), range(16)))
    assert counted == [{"pages": 2}] * 16
    helpers.stop()


def test_a_helper_that_is_stuck_delays_no_other_process(part):
    helpers = Helpers(2)
    fax = part([drawn("1")])
    question = {"task": "pages", "path": str(fax.path), "type": fax.type}
    helpers.ask("first", question, 30)
    stuck = helpers._free[0]._process.pid
    os.kill(stuck, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(helpers.ask, "first", question, 60)
        while helpers._at_work["first"] == 0:
            pass
        assert helpers.ask("second", question, 30) == {"pages": 1}
        assert not waiting.done()
        os.kill(stuck, signal.SIGCONT)
        assert waiting.result() == {"pages": 1}
    helpers.stop()
