"""What the operator decides."""

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from receiver.core.settings import Settings, SettingsError, describe, unknown_variables


def test_nothing_needs_to_be_set():
    assert Settings.from_environment({}) == Settings(
        site=Path(),
        data=Path("var"),
        output=Path("var/output"),
        ledger="sqlite:var/ledger.db",
        local=Path("var/local"),
        max_body=512_000_000,
        min_free=256_000_000,
        log="text",
        console_proxies="",
        console_user="",
    )


def test_every_setting_can_be_set():
    settings = Settings.from_environment(
        {
            "RECEIVER_SITE": "/etc/receiver",
            "RECEIVER_DATA": "/srv/data",
            "RECEIVER_OUTPUT": "/srv/import",
            "RECEIVER_LEDGER": "sqlite:/srv/ledger/l.db",
            "RECEIVER_LOCAL": "/var/lib/receiver",
            "RECEIVER_MAX_BODY": "1.5 GB",
            "RECEIVER_MIN_FREE": "0",
            "RECEIVER_LOG": "json",
            "RECEIVER_CONSOLE_PROXIES": "127.0.0.1, ::1",
            "RECEIVER_CONSOLE_USER": "X-Remote-User",
        }
    )
    assert settings == Settings(
        site=Path("/etc/receiver"),
        data=Path("/srv/data"),
        output=Path("/srv/import"),
        ledger="sqlite:/srv/ledger/l.db",
        local=Path("/var/lib/receiver"),
        max_body=1_500_000_000,
        min_free=0,
        log="json",
        console_proxies="127.0.0.1,::1",
        console_user="X-Remote-User",
    )


def test_output_and_ledger_follow_the_data_folder():
    settings = Settings.from_environment({"RECEIVER_DATA": "/srv/{data}"})
    assert settings.output == Path("/srv/{data}/output")
    assert settings.ledger == "sqlite:/srv/{data}/ledger.db"


def test_an_empty_variable_counts_as_unset():
    empty = dict.fromkeys((setting.variable for setting in describe({})), " ")
    assert Settings.from_environment(empty) == Settings.from_environment({})


def test_the_environment_of_this_process_is_the_default(monkeypatch):
    monkeypatch.setenv("RECEIVER_MAX_BODY", "3 MB")
    assert Settings.from_environment().max_body == 3_000_000


def test_all_wrong_values_are_told_at_once_and_none_is_repeated():
    wrong = {
        "RECEIVER_LEDGER": "postgres://user:secret@host/db",
        "RECEIVER_MAX_BODY": "0 MB",
        "RECEIVER_MIN_FREE": "plenty",
        "RECEIVER_CONSOLE_PROXIES": "proxy.example.org",
        "RECEIVER_CONSOLE_USER": "X User",
    }
    with pytest.raises(SettingsError) as raised:
        Settings.from_environment(wrong)
    assert [line.partition(":")[0] for line in raised.value.problems] == list(wrong)
    assert str(raised.value).splitlines() == list(raised.value.problems)
    assert not any(value in str(raised.value) for value in ("secret", "plenty"))


@pytest.mark.parametrize("text", ["sqlite:", "var/ledger.db", "mysql:x"])
def test_a_ledger_says_what_it_is(text):
    with pytest.raises(SettingsError, match="RECEIVER_LEDGER: expected sqlite:"):
        Settings.from_environment({"RECEIVER_LEDGER": text})


def test_settings_cannot_be_changed():
    settings = Settings.from_environment({})
    with pytest.raises(FrozenInstanceError):
        settings.max_body = 1


def test_every_setting_is_described_with_its_present_value_and_default():
    lines = {line.variable: line for line in describe({"RECEIVER_DATA": "/srv", "RECEIVER_MAX_BODY": "1 GB"})}
    assert len(lines) == len(Settings.__slots__)
    assert lines["RECEIVER_MAX_BODY"][1:3] == ("1 GB", "512 MB")
    assert lines["RECEIVER_OUTPUT"][1:3] == ("/srv/output", "var/output")
    assert all(line.doc.endswith(".") for line in lines.values())


def test_wrong_values_are_described_as_they_are():
    lines = {line.variable: line.value for line in describe({"RECEIVER_MAX_BODY": "plenty"})}
    assert lines["RECEIVER_MAX_BODY"] == "plenty"


def test_variables_that_nothing_reads_are_told():
    environ = {"RECEIVER_MAXBODY": "1", "RECEIVER_XYZ": "1", "RECEIVER_SITE": ".", "OTHER": "1"}
    assert unknown_variables(environ) == [
        "RECEIVER_MAXBODY: nothing reads this variable; did you mean RECEIVER_MAX_BODY?",
        "RECEIVER_XYZ: nothing reads this variable",
    ]


def test_variables_that_tokens_name_are_read():
    environ = {"RECEIVER_TOKEN": "x", "RECEIVER_LAB_TOKEN": "x"}
    assert unknown_variables(environ, named=["RECEIVER_LAB_TOKEN"]) == []
