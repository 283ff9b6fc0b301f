"""Each fault is told once at its onset and once at its recovery, whoever looks and however often."""

import json
from dataclasses import replace
from datetime import timedelta

from receiver.core.delivery import Replay
from receiver.operations import replay
from receiver.operations.notify import alerts, conditions
from receiver.site import in_force
from receiver.store.stage import free_space
from tests.support.home import NOON

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
PLANTED = "Planted-4711"


def notices(home):
    """Return what was told: event and fault of each notice, with its content."""
    path = home.root / "told"
    lines = path.read_text().splitlines() if path.exists() else []
    return [(lines[place + 1], json.loads(lines[place + 2])) for place in range(0, len(lines), 3)]


def events(home):
    return [line for line, _ in notices(home)]


def look(home, at=NOON):
    alerts.look(home.context, at)


def test_refusals_are_told_once_and_their_end_once(home):
    home.deliver(mrn="wrong")
    home.deliver(source_id="S2", mrn="wrong again", at=NOON + MINUTE)
    for minutes in (2, 3, 30, 60):
        look(home, NOON + minutes * MINUTE)
    assert events(home) == ["onset refused referrals"]
    look(home, NOON + HOUR + 2 * MINUTE)
    look(home, NOON + HOUR + 3 * MINUTE)
    assert events(home) == ["onset refused referrals", "recovery refused referrals"]
    (_, onset), (_, recovery) = notices(home)
    assert onset["counts"] == {"fields-invalid": 2}
    assert onset["text"].startswith("Referral")
    assert "2 fields-invalid" in onset["text"]
    assert (recovery["since"], recovery["at"]) == ("2026-01-02T12:02:00Z", "2026-01-02T13:02:00Z")
    home.deliver(source_id="S3", mrn="wrong", at=NOON + 3 * HOUR)
    look(home, NOON + 3 * HOUR)
    assert events(home)[2:] == ["onset refused referrals"]


def test_refusals_that_are_refused_no_longer_are_well_again(home):
    entry = home.deliver(mrn="wrong")
    look(home)
    home.ledger.discard(entry, entry.attempts[-1]._replace(outcome="discarded"))
    look(home, NOON + MINUTE)
    assert events(home) == ["onset refused referrals", "recovery refused referrals"]


def test_fewer_refusals_than_are_asked_for_are_not_told(home):
    home.configure("[notify]\n", "[notify]\nrefused = 3\n")
    for number in range(3):
        look(home, NOON + number * MINUTE)
        assert events(home) == []
        home.deliver(source_id=f"S{number}", mrn="wrong", at=NOON)
    look(home, NOON + MINUTE)
    assert events(home) == ["onset refused referrals"]
    home.deliver(source_id="S9", mrn="wrong", at=NOON + 50 * MINUTE)
    look(home, NOON + HOUR + 10 * MINUTE)  # one alone would not begin it, and does not end it
    assert len(events(home)) == 1


def test_held_deliveries_are_told_until_the_last_is_published(home):
    entry = home.deliver(confidence=0.1)
    assert entry.status == "held"
    for days in (0, 1, 20):
        look(home, NOON + timedelta(days=days))
    assert events(home) == ["onset held referrals"]
    replay.replay(home.context, entry, Replay(NOON, "somebody", accept_confidence=True))
    look(home, NOON + timedelta(days=20, minutes=1))
    assert [event for event in events(home) if "held" in event] == ["onset held referrals", "recovery held referrals"]


def test_templates_that_fail_are_told_apart_from_what_senders_do_wrong(home):
    home.configure("{{ fields.mrn }}", "{{ fields.mrn | first }}", "mdm_t02.hl7.j2")
    entry = home.deliver()
    assert entry.code == "template-failed"
    look(home)
    assert events(home) == ["onset template referrals"]
    home.configure("{{ fields.mrn | first }}", "{{ fields.mrn }}", "mdm_t02.hl7.j2")
    replay.replay(home.context, home.ledger.find(entry.id), Replay(NOON, "somebody"))
    look(home, NOON + MINUTE)
    assert events(home) == ["onset template referrals", "recovery template referrals"]


def test_a_disk_that_is_nearly_full_is_told_before_senders_notice_it(home):
    free = free_space(home.settings.data) if home.context else 0

    def with_least(times):
        return replace(home.context, settings=replace(home.settings, min_free=int(free / times)))

    for times in (4.5, 3.5, 4.5, 3.5, 6):  # of what is needed is free; between four and five nothing changes
        alerts.look(with_least(times), NOON)
    assert events(home) == ["onset space referrals", "recovery space referrals"]


def test_an_edit_that_is_kept_back_is_told_by_its_place_and_code_only(home):
    fault = f"mappings/referrals/process.toml:3:1: wrong-value title is {PLANTED}"
    other = "mappings/labs/process.toml:3:1: wrong-value title is empty"
    local = home.context.settings.local
    in_force.ensure_folder(local)
    for kept_back in ((other,), (other, fault), (fault,), ()):
        in_force.write(local, in_force.State("seen", {}, kept_back))
        look(home)
        look(home)
    assert events(home) == ["onset configuration referrals", "recovery configuration referrals"]
    assert "mappings/referrals/process.toml:3:1: wrong-value" in notices(home)[0][1]["text"]
    assert PLANTED not in (home.root / "told").read_text()


def weeks_of(home, *hours, weeks=3):
    """Have five deliveries in each of these hours after Friday noon, in the weeks before this one."""
    for week in range(1, weeks + 1):
        for hour in hours:
            for minute in range(5):
                home.deliver(
                    source_id=f"{week}-{hour}-{minute}", at=NOON - week * 7 * 24 * HOUR + hour * HOUR + minute * MINUTE
                )


def test_a_silence_is_told_when_the_weeks_before_had_none_then(home):
    weeks_of(home, 2)
    home.deliver(at=NOON)
    context = home.context
    process = context.processes["referrals"]
    for hours in (1, 2, 3):  # in the weeks before, nothing came until two o'clock; and clocks may have changed
        assert conditions.silent_since(context.ledger, process, NOON + hours * HOUR, None) is None
    assert conditions.silent_since(context.ledger, process, NOON + 3 * HOUR + 6 * MINUTE, None) == NOON
    look(home, NOON + 4 * HOUR)
    look(home, NOON + 90 * HOUR)
    assert events(home) == ["onset silence referrals"]
    home.deliver(source_id="S2", at=NOON + 91 * HOUR)
    look(home, NOON + 91 * HOUR + MINUTE)
    assert events(home) == ["onset silence referrals", "recovery silence referrals"]


def test_a_process_that_is_too_young_or_too_seldom_is_never_too_silent(home):
    weeks_of(home, 2, weeks=2)
    home.deliver(at=NOON)
    look(home, NOON + 5 * 24 * HOUR)
    assert events(home) == []


def test_a_silence_may_be_told_after_a_fixed_time(home):
    home.configure("[notify]\n", '[notify]\nsilence = "12h"\n')
    look(home)  # nothing ever came
    home.deliver(at=NOON)
    look(home, NOON + 11 * HOUR)
    assert events(home) == []
    look(home, NOON + 12 * HOUR)
    assert events(home) == ["onset silence referrals"]


def test_what_is_not_asked_for_is_not_told(home):
    home.configure("[notify]\n", '[notify]\non = ["space"]\n')
    home.deliver(mrn="wrong")
    look(home)
    assert events(home) == []


def test_what_is_asked_for_no_longer_is_not_told_to_be_well(home):
    home.deliver(mrn="wrong")
    look(home)
    home.configure("[notify]\n", '[notify]\non = ["space"]\n')
    look(home)
    assert events(home) == ["onset refused referrals"]


def test_only_one_looks_at_a_time(home):
    home.deliver(mrn="wrong")
    with alerts.alone(home.settings.data) as mine:
        assert mine
        look(home)
        assert events(home) == []
    look(home)
    assert events(home) == ["onset refused referrals"]


def test_what_was_told_is_known_after_a_restart_and_after_a_crash_while_it_was_written(home):
    home.deliver(mrn="wrong")
    look(home)
    (home.settings.data / alerts.FOLDER / f"{alerts.FILE}.new").write_text("{")
    home.close()
    home.deliver(source_id="S2", confidence=0.1)
    look(home)
    assert events(home) == ["onset refused referrals", "onset held referrals"]


def test_a_file_that_is_spoilt_costs_no_more_than_a_second_notice(home):
    home.deliver(mrn="wrong")
    for content in (b"", b"{", b"[1]", b'{"referrals": {"refused": 3}}', b"\xff"):
        look(home)
        (home.settings.data / alerts.FOLDER / alerts.FILE).write_bytes(content)
    assert set(events(home)) == {"onset refused referrals"}


def test_no_value_and_no_token_is_in_a_notice(home, monkeypatch):
    monkeypatch.setenv("RECEIVER_TOKEN", PLANTED)
    home.deliver(mrn=PLANTED, source_id=PLANTED)
    home.deliver(source_id=f"{PLANTED}2", patient_name=PLANTED, confidence=0.1)
    look(home)
    text = (home.root / "told").read_text()
    assert len(events(home)) == 2
    assert PLANTED not in text
    assert text.splitlines()[::3] == ["0", "0"]


def test_a_ledger_that_is_away_is_no_recovery(home):
    home.deliver(mrn="wrong")
    look(home)
    context = home.context
    context.ledger.close()
    content = context.ledger.path.read_bytes()
    context.ledger.path.write_bytes(b"no ledger" * 1000)
    alerts.look(context, NOON)
    context.ledger.close()
    context.ledger.path.write_bytes(content)
    alerts.look(context, NOON)
    assert events(home) == ["onset refused referrals", "onset ledger referrals", "recovery ledger referrals"]


def test_every_fault_has_its_words():
    faults = {*conditions.JUDGES, *alerts.WELL}
    assert faults == {fault for fault in alerts.Condition if fault != "test"}
    assert set(alerts.WELL) == set(conditions.JUDGES)


def test_a_lost_output_is_told_though_nobody_sends(home):
    look(home)
    output = home.context.processes["referrals"].output
    away = output.rename(home.root / "away")
    for minutes in (1, 2):
        look(home, NOON + minutes * MINUTE)
    assert events(home) == ["onset output referrals"]
    assert f"could not write to the output folder {output} (ENOENT: No such" in notices(home)[0][1]["text"]
    away.rename(output)
    look(home, NOON + 3 * MINUTE)
    assert events(home) == ["onset output referrals", "recovery output referrals"]


def test_a_lost_ledger_is_told_and_what_it_would_tell_stays_as_it_was(home):
    home.deliver(confidence=0.1)
    look(home)
    assert events(home) == ["onset held referrals"]
    away = home.ledger.path.rename(home.root / "away")
    for minutes in (1, 2):
        look(home, NOON + minutes * MINUTE)
    assert events(home)[1:] == ["onset ledger referrals"]
    assert "ledger.db is not where it was" in notices(home)[1][1]["text"]
    away.rename(home.ledger.path)
    look(home, NOON + 3 * MINUTE)
    assert events(home)[1:] == ["onset ledger referrals", "recovery ledger referrals"]
