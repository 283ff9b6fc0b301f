"""Pages that were drawn are remembered, for a while and up to a size, and nowhere but in memory."""

from pathlib import Path
from types import SimpleNamespace as Given
from unittest.mock import MagicMock

import pytest

from receiver import documents
from receiver.core.delivery import Part, Role
from receiver.web.console import images as images_module
from receiver.web.console.images import Images


@pytest.fixture
def drawn(monkeypatch):
    calls = []

    def page(part, number, process, *, small):
        calls.append((part.sha256, number, small))
        return bytes([number]) * 100

    monkeypatch.setattr(documents, "page", page)
    return calls


def part(sha256="a"):
    return Part("file", None, "image/tiff", Role.DOCUMENT, ".tif", 1, sha256, Path(), "file.tif")


def test_a_page_is_drawn_once(drawn):
    images = Images()
    for _ in range(3):
        assert images.page(part(), 1, "referrals", small=False) == b"\1" * 100
    assert drawn == [("a", 1, False)]


def test_one_thread_at_a_time_looks_a_page_up_or_remembers_it(drawn):
    images = Images()
    images._lock = lock = MagicMock()
    for entered in (2, 3):  # looked up and remembered, then looked up
        images.page(part(), 1, "referrals", small=False)
        assert lock.__enter__.call_count == lock.__exit__.call_count == entered


def test_pages_thumbnails_and_documents_are_told_apart(drawn):
    images = Images()
    for sha256, number, small in (("a", 1, False), ("a", 2, False), ("a", 1, True), ("b", 1, False)):
        images.page(part(sha256), number, "referrals", small=small)
    assert len(drawn) == 4


def test_the_least_used_go_when_it_is_too_much(drawn):
    images = Images(most=250)
    for number in (1, 2, 1, 3, 1, 2):
        images.page(part(), number, "referrals", small=False)
    assert [number for _, number, _ in drawn] == [1, 2, 3, 2]


def test_what_is_too_much_goes_at_once(drawn):
    images = Images(most=150)
    for number in (1, 2):
        images.page(part(), number, "referrals", small=False)
    assert list(images._drawn) == [("a", 2, False)]


def test_what_is_forgotten_takes_no_room_any_more(drawn, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(images_module, "time", Given(monotonic=lambda: now[0]))
    images = Images(most=250, lasts=10)
    for now[0], number in ((0, 1), (0, 2), (20, 1), (20, 2), (20, 1)):
        images.page(part(), number, "referrals", small=False)
    assert [number for _, number, _ in drawn] == [1, 2, 1, 2]


@pytest.mark.parametrize(("later", "times"), [(10.0, 1), (10.5, 2)])
def test_a_page_is_remembered_for_its_time_and_no_longer(drawn, monkeypatch, later, times):
    now = [0.0]
    monkeypatch.setattr(images_module, "time", Given(monotonic=lambda: now[0]))
    images = Images(lasts=10)
    for now[0] in (0.0, later):
        images.page(part(), 1, "referrals", small=False)
    assert len(drawn) == times


def test_as_much_is_remembered_as_may_be(drawn):
    images = Images(most=200)
    for number in (1, 2, 1, 2):
        images.page(part(), number, "referrals", small=False)
    assert len(drawn) == 2


def test_a_page_that_two_have_drawn_at_once_takes_its_room_once(drawn):
    images = Images(most=200)
    for number in (1, 1, 2):
        images._keep(("a", number, False), bytes(100))
    for number in (1, 2):
        images.page(part(), number, "referrals", small=False)
    assert drawn == []


def test_a_page_that_is_looked_at_again_is_as_old_as_it_was(drawn, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(images_module, "time", Given(monotonic=lambda: now[0]))
    images = Images(lasts=10)
    for now[0] in (0.0, 9.0, 18.0):
        images.page(part(), 1, "referrals", small=False)
    assert len(drawn) == 2
