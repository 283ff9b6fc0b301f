"""Faults are told in order and by place; whatever a library raises on a user's file is one, and comes in time."""

import signal
import threading

import pytest

from receiver.core import faults
from receiver.core.faults import ConfigurationError, Fault, Severity, did_you_mean, reading
from receiver.core.problems import Code, Problem

FIRST = Fault("a.toml", 2, 1, "unknown-key", "no key")
SECOND = Fault("a.toml", 10, 1, "bad-value", "no value", "write 5")


def test_faults_are_told_in_the_order_of_their_places():
    error = ConfigurationError([SECOND, FIRST])
    assert error.faults == (FIRST, SECOND)
    assert str(error) == "a.toml:2:1: unknown-key no key\na.toml:10:1: bad-value no value (write 5)"
    assert FIRST.severity is Severity.ERROR


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("maxLenght", 'did you mean "maxLength"?'),
        ("MAXLENGTH", 'did you mean "maxLength"?'),
        ("minLength", 'did you mean "minLength"?'),
        ("colour", ""),
        ("", ""),
    ],
)
def test_the_nearest_known_word_is_asked_for(word, hint):
    assert did_you_mean(word, ["maxLength", "minLength"]) == hint


def test_a_word_is_near_from_six_letters_of_ten_on():
    assert did_you_mean("abcdefwxyz", ["abcdef0123"])
    assert not did_you_mean("abcdevwxyz", ["abcde01234"])


@pytest.mark.parametrize(
    "raised",
    [
        ConfigurationError([FIRST]),
        Problem(Code.DOCUMENT_BROKEN, "x"),
        KeyboardInterrupt(),
        SystemExit(3),
        GeneratorExit(),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_is_no_fault_of_a_file_passes_through(raised):
    with pytest.raises(type(raised)) as caught, reading("a.toml"):
        raise raised
    assert caught.value is raised


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (OSError(13, "Permission denied"), "it cannot be read: Permission denied"),
        (ValueError("Zebra-7731-Quagga"), "tests cannot make sense of it (ValueError)"),
        (BaseException("Zebra-7731-Quagga"), "tests cannot make sense of it (BaseException)"),
    ],
)
def test_whatever_is_raised_is_a_fault_of_the_file_without_its_words(raised, message):
    with pytest.raises(ConfigurationError) as caught, reading("a.toml"):
        raise raised
    assert caught.value.faults == (Fault("a.toml", 1, 1, "unreadable-content", message),)
    assert "Zebra" not in str(caught.value)


def test_the_library_that_gave_up_is_named_not_who_called_it():
    with pytest.raises(ConfigurationError, match="json cannot make sense of it"), reading("a.toml"):
        __import__("json").loads("{")


def test_a_place_is_looked_for_by_what_was_raised():
    seen = []

    def place(error):
        seen.append(error)
        return "b.toml", 3, 4

    raised = ValueError()
    with pytest.raises(ConfigurationError) as caught, reading("a.toml", place):
        raise raised
    assert seen == [raised]
    assert [(each.file, each.line, each.column) for each in caught.value.faults] == [("b.toml", 3, 4)]


def test_nothing_is_raised_where_all_is_well():
    with reading("a.toml"):
        pass


def run_forever():
    while True:
        pass


def test_what_takes_too_long_is_a_fault(monkeypatch):
    monkeypatch.setattr(faults, "READING_SECONDS", 0.05)
    with pytest.raises(ConfigurationError) as caught, reading("a.toml"):
        run_forever()
    (fault,) = caught.value.faults
    assert (fault.code, fault.message) == ("too-costly", "it takes more than 0.05 seconds to compile")
    assert fault.hint.startswith("make it smaller")


def test_the_clock_and_the_handler_are_as_they_were(monkeypatch):
    monkeypatch.setattr(faults, "READING_SECONDS", 500.0)
    before = signal.getsignal(signal.SIGVTALRM)
    with reading("a.toml"):
        assert signal.getitimer(signal.ITIMER_VIRTUAL)[0] > 400
        with reading("b.toml"):
            pass
        left, interval = signal.getitimer(signal.ITIMER_VIRTUAL)
        assert (left > 400, interval) == (True, faults.REPEATED_SECONDS)
        assert signal.getsignal(signal.SIGVTALRM) is faults._give_up
    assert signal.getsignal(signal.SIGVTALRM) is before
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


def test_another_thread_than_the_first_has_no_clock():
    seen = []

    def read():
        with reading("a.toml"):
            seen.append(signal.getsignal(signal.SIGVTALRM))

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGVTALRM)]
