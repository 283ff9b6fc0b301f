"""Rules of a process: judged all at once, told by name, held or refused, and never with a value."""

from types import SimpleNamespace as Given

import pytest

from receiver import log
from receiver.core.delivery import Arrival, Replay, Section, Status
from receiver.core.problems import Code, Problem, Violation
from receiver.delivery import rules
from receiver.delivery.receive import receive
from receiver.operations import replay
from receiver.operations.meters import Meters, folder_in
from receiver.web.console import acting
from tests.operations.test_numbers import told
from tests.support.home import FAX, NOON, ROOT, Home, metadata

SUM = """
[[rules]]
name = "total-adds-up"
must = "(fields.net | decimal) + (fields.tax | decimal) == fields.total | decimal"
message = "Net amount and tax do not add up."
"""
NUMBER = """
[[rules]]
name = "short-number"
must = 'fields.mrn | matches("^[0-9]{6}[A-Z]$")'
message = "The number is not one of ours."
otherwise = "refuse"
"""
GOOD = {"net": "0.10", "tax": "0.20", "total": "0.30"}


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path)
    made.configure('schema = "referrals.fields.schema.json"\n', "")
    made.section(SUM)
    yield made
    made.close()


def violations(entry):
    return [(each.where, each.rule, each.message) for each in entry.violations]


def test_a_delivery_that_meets_every_rule_is_published(home):
    assert home.deliver(**GOOD).status is Status.PUBLISHED


def test_one_that_breaks_a_rule_is_held_with_its_name_and_message(home):
    entry = home.deliver(**GOOD | {"total": "0.31"})
    assert (entry.status, entry.code) == (Status.HELD, Code.RULE_BROKEN)
    assert violations(entry) == [("rules", "total-adds-up", "Net amount and tax do not add up.")]
    assert entry.violations[0].schema == "mappings/referrals/process.toml#/rules/total-adds-up"
    assert home.outputs() == {}


def test_every_broken_rule_is_told_and_one_that_refuses_decides(home):
    home.section(NUMBER)
    entry = home.deliver(**GOOD | {"total": "1", "mrn": "secret"})
    assert (entry.status, entry.code) == (Status.REFUSED, Code.RULE_BROKEN)
    assert [each.rule for each in entry.violations] == ["total-adds-up", "short-number"]
    assert entry.violations[1].where == "fields/mrn", "a rule about one field is told at that field"


@pytest.mark.parametrize(("below", "status"), [("hold", Status.HELD), ("refuse", Status.REFUSED)])
def test_low_confidence_is_told_together_with_the_rules(home, below, status):
    home.configure('below = "hold"', f'below = "{below}"')
    entry = home.deliver(confidence=0.1, **GOOD | {"total": "1"})
    assert (entry.status, entry.code) == (status, Code.RULE_BROKEN)
    assert {each.rule for each in entry.violations} == {"total-adds-up", "confidence"}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"tax": "none of your business"}, "fields.tax is not a number written as 1,234.50."),
        ({"tax": None}, "fields.tax is not there"),
    ],
)
def test_a_rule_that_cannot_be_evaluated_is_broken_with_the_reason_at_its_line(home, changed, reason):
    entry = home.deliver(**GOOD | changed)
    (violation,) = entry.violations
    assert (entry.code, violation.rule) == (Code.RULE_BROKEN, "total-adds-up")
    assert violation.message.startswith(f"Net amount and tax do not add up. ({reason}")
    text = (home.folder / "process.toml").read_text().split("\n")
    assert text[int(violation.schema.rpartition(":")[2]) - 1].startswith("must = ")


def test_a_value_is_in_no_word_of_it(home):
    home.section(NUMBER)
    entry = home.deliver(**GOOD | {"tax": "confidential", "mrn": "private"})
    shown = home.receiver("show", entry.id).stdout + repr(entry.violations)
    assert "confidential" not in shown
    assert "private" not in shown


def test_templates_may_rely_on_a_rule(home):
    home.section('[[rules]]\nname = "there"\nmust = "fields.x is defined"\nmessage = "There is no x."\n')
    home.configure('"sourceId":', '"x": {{ fields.x }}, "sourceId":', "referral.json.j2")
    entry = home.deliver(**GOOD)
    assert [each.rule for each in entry.violations] == ["there"], "the template does not run at all"


def test_who_has_looked_publishes_it_in_spite_of_a_rule_that_holds(home):
    entry = home.deliver(**GOOD | {"total": "1"})
    assert "replay --accept-rules publishes it" in home.receiver("replay", entry.id).stdout
    assert "held" in home.receiver("replay", entry.id, "--accept-confidence").stdout
    assert "would be published" in home.receiver("replay", entry.id, "--dry-run", "--accept-rules").stdout
    assert "published" in home.receiver("replay", entry.id, "--accept-rules").stdout
    attempt = home.ledger.find(entry.id).attempts[-1]
    assert attempt.note.endswith(", broken rules accepted")


def test_the_console_publishes_it_only_if_that_is_said(home):
    entry = home.deliver(**GOOD | {"total": "1"})
    assert acting.rehearse(home.context, entry, "release") == "would be held: rule-broken"
    assert acting.redo(home.context, entry, "release", "somebody").result is replay.Result.HELD
    again = home.ledger.find(entry.id)
    assert acting.rehearse(home.context, again, "overrule") == "would be published"
    assert acting.redo(home.context, again, "overrule", "somebody").result is replay.Result.PUBLISHED


def test_rows_of_a_table_are_added_up(home):
    table = """[tables.items]
rows = "lines"
columns = { amount = "sum" }

[[rules]]
name = "lines-add-up"
must = "(tables.items | sum_of('amount')) == fields.total | decimal"
message = "The lines do not add up to the total."
"""
    home.section(table)
    home.configure('below = "hold"', 'below = "hold"\nunknown = "accept"')
    given = metadata(**GOOD).replace(b"{", b'{"lines": [{"sum": 0.1}, {"sum": "0.20"}], ', 1)
    assert home.deliver(given).status is Status.PUBLISHED
    wrong = home.deliver(given.replace(b'{"sum": 0.1}', b'{"sum": 0.11}'))
    assert violations(wrong) == [("rules", "lines-add-up", "The lines do not add up to the total.")]


@pytest.mark.parametrize("must", ["document.pages < 3", "documents | length == 1", "document.type == 'image/tiff'"])
def test_a_rule_may_look_at_the_documents(home, must):
    scan = ROOT / "mappings" / "referrals" / "samples" / "faxed-letter" / "file--123456789.tif"
    home.section(f'[[rules]]\nname = "short"\nmust = "{must}"\nmessage = "It is too long."\n')
    assert home.deliver(fax=scan.read_bytes(), **GOOD).status is Status.PUBLISHED


def test_a_rule_that_looks_into_a_broken_document_leaves_the_document_its_own_problem(home):
    home.section('[[rules]]\nname = "short"\nmust = "document.pages < 3"\nmessage = "It is too long."\n')
    entry = home.deliver(fax=FAX, **GOOD)
    assert (entry.status, entry.code) == (Status.REFUSED, Code.DOCUMENT_BROKEN)


def test_a_rule_that_refuses_is_never_passed_over(home):
    home.section(NUMBER)
    entry = home.deliver(**GOOD | {"mrn": "1"})
    again = replay.replay(home.context, entry, Replay(NOON, "somebody", accept_confidence=True, accept_rules=True))
    assert again.result is replay.Result.REFUSED


def test_a_correction_is_judged_by_the_rules(home):
    entry = home.deliver(**GOOD | {"total": "1"})
    wrong = Replay(NOON, "somebody", accept_confidence=True, corrections={"total": "0.33"})
    assert replay.replay(home.context, entry, wrong).result is replay.Result.HELD
    right = Replay(NOON, "somebody", accept_confidence=True, corrections={"total": "0.30"})
    assert replay.replay(home.context, home.ledger.find(entry.id), right).result is replay.Result.PUBLISHED


def test_a_broken_rule_is_counted_by_its_name_held_or_refused(home):
    folder = folder_in(home.settings.data)
    folder.mkdir(parents=True)
    meters = Meters(home.context, folder)
    counted = ("receiver_rules_broken_total", "referrals", "total-adds-up")
    assert told(folder)[counted] == 0
    held = receipt(home, total="1")
    meters.accepted(held)
    assert told(folder)[counted] == 1
    meters.refused(held.problem, "referrals")
    assert told(folder)[counted] == 2


def test_the_log_names_the_rule_and_its_message_of_what_is_held(home, monkeypatch):
    lines = []
    monkeypatch.setattr(log, "_log", lambda level, event, fields: lines.append((event, fields)))
    log.accepted(receipt(home, total="1"))
    event, fields = lines[0]
    assert (event, fields["code"], fields["violations"]) == ("held", "rule-broken", "rules: total-adds-up")
    assert fields["detail"] == "total-adds-up: Net amount and tax do not add up."


def receipt(home, **changed):
    sections = [
        Section("file", "scan.tif", "image/tiff", content=[FAX]),
        Section("metadata", None, "application/json", content=[metadata(**GOOD | changed)]),
    ]
    return receive(home.context, home.context.processes["referrals"], sections, Arrival(NOON, ""))


class Broken:
    """A rule that nothing meets."""

    def __init__(self, otherwise="hold", name="rule", reads=(), names=(), holds=lambda _: False):
        self.name, self.place = name, "process.toml#/rules"
        self.config = Given(otherwise=otherwise, message="It is wrong.")
        self.must = Given(holds=holds, reads=[Given(name=each) for each in reads], names={*names})


LOW = Problem(Code.CONFIDENCE_LOW, "It is low.", [Violation("fields/mrn", "confidence", "Too low.")])


@pytest.mark.parametrize(
    ("otherwise", "low", "below", "held"),
    [
        (["hold"], None, "refuse", True),
        (["hold"], LOW, "hold", True),
        (["hold"], LOW, "refuse", False),
        (["hold", "refuse"], None, "hold", False),
        (["refuse"], LOW, "hold", False),
    ],
)
def test_a_delivery_is_held_where_each_of_its_faults_is_for_a_person(otherwise, low, below, held):
    process = Given(
        rules=[Broken(each, f"rule-{each}") for each in otherwise], config=Given(confidence=Given(below=below))
    )
    with pytest.raises(Problem) as broken:
        rules.judge(process, {}, low, accept=False)
    assert (broken.value.code, broken.value.held) == (Code.RULE_BROKEN, held)
    assert broken.value.rules == tuple(f"rule-{each}" for each in otherwise)
    told = [f"rule-{each}: It is wrong." for each in otherwise] + (["It is low."] if low else [])
    assert broken.value.detail == " ".join(told)
    assert [each.rule for each in broken.value.violations] == [*broken.value.rules, *(["confidence"] if low else [])]


@pytest.mark.parametrize(
    ("otherwise", "low", "accept", "raised"),
    [("hold", None, True, None), ("hold", LOW, True, Code.CONFIDENCE_LOW), ("refuse", None, True, Code.RULE_BROKEN)],
)
def test_who_has_looked_passes_over_what_is_held_alone(otherwise, low, accept, raised):
    process = Given(rules=[Broken(otherwise)], config=Given(confidence=Given(below="hold")))
    if raised:
        with pytest.raises(Problem) as problem:
            rules.judge(process, {}, low, accept=accept)
        assert problem.value.code is raised
    else:
        rules.judge(process, {}, low, accept=accept)


@pytest.mark.parametrize(
    ("reads", "names", "place"),
    [
        (["mrn", "mrn"], ["fields"], "fields/mrn"),
        (["mrn", "net"], ["fields"], "rules"),
        (["mrn"], ["fields", "document"], "rules"),
        ([], ["fields"], "rules"),
    ],
)
def test_a_rule_is_told_at_its_one_field_or_at_none(reads, names, place):
    found = rules._violation(Broken(reads=reads, names=names), {})
    assert found == Violation(place, "rule", "It is wrong.", "process.toml#/rules")


@pytest.mark.parametrize(("schema", "place"), [("process.toml:7", "process.toml:7"), (None, "here")])
def test_a_rule_that_fails_is_told_where_it_does(schema, place):
    def fail(_):
        raise Problem(Code.TEMPLATE_FAILED, "", [Violation("here", "x", "No number", schema), Violation("b", "x", "")])

    found = rules._violation(Broken(holds=fail), {})
    assert found == Violation("rules", "rule", "It is wrong. (No number)", place)


def test_a_rule_that_is_met_has_no_violation():
    assert rules._violation(Broken(holds=lambda names: names["fine"]), {"fine": True}) is None
