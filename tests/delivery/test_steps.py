"""Each step of a delivery by itself: what it hands to the next one, and what it does where that fails."""

import hashlib
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace as Given

import pytest

from receiver.core.batches import Addition, Closing
from receiver.core.delivery import Arrival, Delivery, Kind, Output, Part, Reading, Receipt, Record, Replay, Role, Status
from receiver.core.problems import PASSING, Code, Problem, Violation
from receiver.delivery import receive, render
from receiver.delivery.context import Context
from receiver.delivery.render import Rendered
from receiver.store.entry import Entry, PartLine
from receiver.store.ledger import VersionTakenError
from receiver.store.rows import Roots
from receiver.templates.source import Place

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ARRIVAL = Arrival(AT, "192.0.2.7")
DELIVERY = Delivery("A" * 20, "scans", "42", AT, 3)
READING = Reading("42", {"mrn": "1"}, {}, None)
RECEIPT = Receipt("A" * 20, Status.PUBLISHED, "scans", "42", 3)


def part(name="file", role=Role.DOCUMENT, suffix=".tif"):
    return Part(name, None, "", role, suffix, 1, "ab" * 32, Path("/stage"), f"{name}{suffix}")


METADATA = part("metadata", Role.METADATA, ".json")


def process(**changed):
    delivery = {"without_records": "hold", "same_source_id": "version", "identity": "parts", "on_invalid": "refuse"}
    config = {
        "delivery": Given(**delivery | changed.pop("delivery", {})),
        "confidence": Given(below="publish"),
        "console": Given(keys=changed.pop("keys", ())),
        "retention": Given(originals=changed.pop("originals", None)),
        "parts": changed.pop("parts", ()),
    }
    known = {
        "name": "scans",
        "config": Given(**config),
        "documents": Given(render=lambda _values: "a.tif"),
        "rules": (),
        "records": (),
        "marker": None,
        "batches": {},
        "output": Path("/var/output/scans"),
        "further": {},
        "group": 7,
        "digest": "c" * 12,
    }
    return Given(**known | changed)


def rule(text="text", **changed):
    known = {
        "each": None,
        "when": None,
        "path": Given(render=lambda _values: "a.txt"),
        "batch": None,
        "line_end": "\n",
        "encoding": "utf-8",
        "check": lambda _text: [],
        "root": None,
        "template": Given(
            render=lambda values: values.get("exported", {}).update(sum="1") or text,
            name="a.txt.j2",
            lines=lambda _values: [],
        ),
    }
    return Given(**known | changed)


def problem_of(function, *arguments, **more):
    with pytest.raises(Problem) as caught:
        function(*arguments, **more)
    return caught.value


# render ---------------------------------------------------------------------------------------------------------


def test_only_parts_whose_rule_says_so_are_converted_and_metadata_is_not_written(monkeypatch):
    written = []
    staged = Given(write=written.append)
    monkeypatch.setattr(render.documents, "as_pdf", lambda part, staged, process: (part.name, staged, process))
    parts = (part("a"), part("b"), part("other"), METADATA)
    rules = [Given(name=name, convert=convert) for name, convert in (("a", "pdf"), ("b", None), ("metadata", None))]
    found = render.as_published(process(parts=rules), parts, staged)
    assert found == (("a", staged, "scans"), *parts[1:])
    assert render.as_published(process(parts=rules[1:]), parts, staged) == parts
    assert written == [["a.tif", "b.tif", "other.tif"]] * 2


def test_documents_of_one_name_are_numbered_before_the_suffix_and_attachments_are_no_documents():
    names = iter(["a.tif", "a-2.tif", "A.tif", "a.tif", "b.tif"])
    given = process(documents=Given(render=lambda _values: next(names)))
    parts = [part("1"), METADATA, part("2"), part("3"), part("4", Role.ATTACHMENT), part("5")]
    named, taken, views = render._named(given, DELIVERY, {}, parts)
    paths = ["a.tif", "a-2.tif", "A-3.tif", "a-4.tif", "b.tif"]
    assert [(each.name, path) for each, path in named] == list(zip("12345", paths, strict=True))
    assert taken == set(map(str.lower, paths))
    assert [(view["name"], view["path"]) for view in views] == [
        ("1", "a.tif"),
        ("2", "a-2.tif"),
        ("3", "A-3.tif"),
        ("5", "b.tif"),
    ]


@pytest.mark.parametrize("says", ["hold", "refuse", "publish"])
def test_a_process_without_records_publishes_documents_alone(says):
    found = render.render(process(delivery={"without_records": says}), DELIVERY, READING, [part()])
    assert found == Rendered(((part(), "a.tif"),), (), None)


@pytest.mark.parametrize("says", ["hold", "refuse", "publish"])
def test_a_delivery_that_no_record_applies_to_is_a_problem_unless_it_is_published(says):
    never = rule(when=Given(holds=lambda _values: False))
    given = process(delivery={"without_records": says}, records=[never])
    if says == "publish":
        assert render.render(given, DELIVERY, READING, [part()]).records == ()
    else:
        found = problem_of(render.render, given, DELIVERY, READING, [part()])
        assert (found.code, [(each.where, each.rule) for each in found.violations]) == (
            Code.NO_RECORD,
            [("records", "when")],
        )


def test_rules_see_the_documents_and_records_and_marker_come_after_them(monkeypatch):
    judged = []
    monkeypatch.setattr(render, "judge", lambda *given, **more: judged.append((*given, more)))
    given = process(rules=("a rule",), records=[rule()], marker=Given(render=lambda values: values["document"]["name"]))
    found = render.render(given, DELIVERY, READING, [part()])
    assert found == Rendered(((part(), "a.tif"),), (Record("a.txt", b"text"),), "file")
    render.render(given, DELIVERY, READING, [part()], "low", accept_rules=True)
    assert [each[0] for each in judged] == [given] * 2
    assert [each[1]["document"]["path"] for each in judged] == ["a.tif"] * 2
    assert [each[2:] for each in judged] == [(None, {"accept": False}), ("low", {"accept": True})]


def test_a_confidence_that_is_too_low_is_a_problem_where_there_are_no_rules():
    low = Problem(Code.CONFIDENCE_LOW, "")
    assert problem_of(render.render, process(), DELIVERY, READING, [part()], low) is low


def test_what_goes_into_batches_is_no_file(monkeypatch):
    monkeypatch.setattr(render.batches, "additions", lambda *given: ("added", len(given[2])))
    batch = rule(path=None, batch=Given(name="daily"))
    found = render.render(process(records=[rule(), batch], batches={"daily": "rule"}), DELIVERY, READING, [part()])
    assert (found.records, found.additions) == ((Record("a.txt", b"text"),), ("added", 2))


@pytest.mark.parametrize(("count", "fits"), [(2, True), (3, False)])
def test_all_rules_together_make_so_many_records(monkeypatch, count, fits):
    monkeypatch.setattr(render, "MAX_RECORDS", 2)
    if fits:
        assert len(render._records([rule()] * count, {})) == count
    else:
        assert "more than" in problem_of(render._records, [rule()] * count, {}).violations[0].message


def test_every_record_that_fails_is_told_and_conditions_count_for_each_item():
    def fail(text):
        raise Problem(Code.TEMPLATE_FAILED, text, [Violation(text, "r", "m")])

    failing = [rule(path=Given(render=lambda _values, text=text: fail(text))) for text in ("a", "b")]
    found = problem_of(render._records, [failing[0], rule(), failing[1]], {})
    assert [each.where for each in found.violations] == ["a", "b"]
    odd = Given(holds=lambda values: values["item"] % 2)
    of_each = rule(each=Given(of=lambda _values: [1, 2, 3], table=""), when=odd)
    assert render._records([of_each, rule()], {}) == [Record("a.txt", b"text")] * 3


def test_a_record_has_the_line_ends_encoding_and_folder_of_its_rule():
    given = rule("a\nb é\n", line_end="\r\n", encoding="latin-1", root=Path("/billing"))
    assert render._record(given, {}) == Record("a.txt", b"a\r\nb \xe9\r\n", root=Path("/billing"))


def test_a_record_of_a_batch_has_what_it_exports_and_no_path():
    given = rule(path=None, batch=Given(name="daily"), root=Path("/billing"))
    values = {"x": 1}
    assert render._record(given, values) == Record("", b"text", "daily", {"sum": "1"})
    assert values == {"x": 1}


def test_a_record_that_is_not_as_it_must_be_is_told_with_its_template():
    wrong = rule("a\nb", check=lambda text: [Violation(f"line {len(text.splitlines())}, X", "r", "m")])
    found = problem_of(render._record, wrong, {})
    assert (found.code, [each.where for each in found.violations]) == (
        Code.RECORD_INVALID,
        ["a.txt.j2:1, record line 2, X"],
    )
    wrong.template.lines = lambda _values: [Place("b.j2", 4, 1), Place("b.j2", 6, 1)]
    assert problem_of(render._record, wrong, {}).violations[0].where == "b.j2:6, record line 2, X"


# plan -----------------------------------------------------------------------------------------------------------


class Staged:
    """Numbers the files that are added."""

    folder = Path("/stage")

    def __init__(self):
        self.added = []

    def add(self, content):
        self.added.append(content)
        return Given(name=f"r{len(self.added)}", size=len(content), sha256=hashlib.sha256(content).hexdigest())


def intake(given, arrival=ARRIVAL):
    settings = Given(output=Path("/var/output"), data=Path("/var"))
    context = Given(settings=settings, ledger="ledger", shown=lambda path: path.removeprefix("/var/output/"))
    return receive.Intake(context, given, arrival, Staged())


def digest(content):
    return hashlib.sha256(content).hexdigest()


def test_outputs_are_told_below_the_output_folder_and_whole_elsewhere():
    records = (Record("in/a.txt", b"12"), Record("b.txt", b"3", root=Path("/billing")))
    records += (Record("c.txt", b"", root=Path("/var/output/billing")),)
    context = Context(Given(), {}, Given(roots=Roots(output=Path("/var/output"))), {})
    found = render.stage_outputs(context, process(), Rendered(((part(), "a.tif"),), records, "a.done"), Staged())
    root = "/var/output/scans/"
    assert found == (
        Output(Kind.DOCUMENT, "file.tif", "scans/a.tif", f"{root}a.tif", 1, "ab" * 32),
        Output(Kind.RECORD, "r1", "scans/in/a.txt", f"{root}in/a.txt", 2, digest(b"12")),
        Output(Kind.RECORD, "r2", "/billing/b.txt", "/billing/b.txt", 1, digest(b"3"), "/billing"),
        Output(
            Kind.RECORD,
            "r3",
            "billing/c.txt",
            "/var/output/billing/c.txt",
            0,
            digest(b""),
            "/var/output/billing",
        ),
        Output(Kind.MARKER, "r4", "scans/a.done", f"{root}a.done", 0, digest(b"")),
    )
    elsewhere = process(output=Path("/mnt/scans"))
    (found,) = render.stage_outputs(context, elsewhere, Rendered(((part(), "a"),), (), None), Staged())
    assert found.path == found.target == "/mnt/scans/a"


ADDED = (Addition("daily", Closing(None, None, None), ()),)


@pytest.mark.parametrize("originals", [None, "30d"])
@pytest.mark.parametrize("keys", [(), ("mrn",)])
def test_the_entry_has_all_that_recovery_and_people_need(monkeypatch, originals, keys):
    laid = Output(Kind.ORIGINALS, "o", "o", "/o", 0, "")
    monkeypatch.setattr(render.originals, "lay_out", lambda *_given: laid)
    monkeypatch.setattr(render.digests, "digests", lambda data, keys, fields: (str(data), *keys, *fields))
    replay = Replay(AT, "anna")
    given = process(originals=originals, keys=keys, further={Path("/billing"): 5, Path("/index"): None})
    found = render.plan(
        intake(given, ARRIVAL._replace(replay=replay)),
        DELIVERY,
        [part()],
        Rendered(((part(), "a.tif"),), (), None, ADDED),
        READING.fields,
    )
    document = Output(Kind.DOCUMENT, "file.tif", "scans/a.tif", "/var/output/scans/a.tif", 1, "ab" * 32)
    assert found == Entry(
        id="A" * 20,
        process="scans",
        source_id="42",
        version=3,
        received_at=AT,
        peer="192.0.2.7",
        configuration="c" * 12,
        parts=(PartLine("part", "", "document", 1, "ab" * 32),),
        outputs=(document, laid) if originals else (document,),
        output="/var/output/scans",
        stage="/stage",
        groups={"/billing": 5},
        additions=ADDED,
        replay=replay,
        digests=("/var", "mrn", "mrn") if keys else None,
    )


# quarantine -----------------------------------------------------------------------------------------------------


@pytest.fixture
def kept(monkeypatch):
    """Return what is put in quarantine, whose receipt is as its entry says."""
    told = []

    def keep(*given):
        told.append(given)
        return RECEIPT._replace(status=given[3].status, version=None)

    monkeypatch.setattr(render.quarantine, "keep", keep)
    return told


WRONG = [Violation("fields/mrn", "r", "m")]


def collected(*, whole=True):
    return Given(parts=(part(), METADATA), whole=whole)


@pytest.mark.parametrize("code", sorted(PASSING))
def test_what_passes_by_itself_is_not_kept(kept, code):
    problem = Problem(code, "")
    assert problem_of(render.keep_in_quarantine, intake(process()), collected(), "42", problem) is problem
    assert kept == []


def test_what_did_not_come_whole_is_not_kept(kept):
    problem = Problem(Code.PART_TOO_LARGE, "")
    assert problem_of(render.keep_in_quarantine, intake(process()), collected(whole=False), "42", problem) is problem
    assert kept == []


@pytest.mark.parametrize("keys", [(), ("mrn",)])
def test_what_is_refused_is_kept_whole_and_told_where(kept, monkeypatch, keys):
    monkeypatch.setattr(render, "_peeked", lambda *_given: {"mrn": "1"})
    monkeypatch.setattr(render.digests, "digests", lambda _data, keys, fields: (*keys, *fields.values()))
    given, problem = intake(process(keys=keys)), Problem(Code.FIELDS_INVALID, "detail", WRONG)
    assert problem_of(render.keep_in_quarantine, given, collected(), "42", problem) is problem
    ((ledger, data, staged, entry, parts, detail),) = kept
    assert (ledger, data, staged, parts, detail) == ("ledger", Path("/var"), given.staged, collected().parts, "detail")
    assert problem.kept_as == entry.id
    assert (entry.status, entry.code, entry.violations) == (Status.REFUSED, Code.FIELDS_INVALID, tuple(WRONG))
    assert (entry.version, entry.source_id, entry.digests) == (None, "42", ("mrn", "1") if keys else None)


def test_what_is_held_has_a_receipt_with_its_reason(kept):
    given, problem = process(delivery={"on_invalid": "hold"}), Problem(Code.FIELDS_INVALID, "", WRONG)
    found = render.keep_in_quarantine(intake(given), collected(), "42", problem)
    assert (found.status, found.problem, problem.kept_as) == (Status.HELD, problem, "")
    by_documents = process(delivery={"on_invalid": "hold", "identity": "documents"})
    render.keep_in_quarantine(intake(by_documents), collected(), "42", problem)
    assert kept[0][3].id != kept[1][3].id


def test_what_another_one_has_published_meanwhile_has_that_receipt(monkeypatch):
    monkeypatch.setattr(render.quarantine, "keep", lambda *_given: RECEIPT)
    found = render.keep_in_quarantine(intake(process()), collected(), "42", Problem(Code.FIELDS_INVALID, ""))
    assert (found, found.problem) == (RECEIPT, None)


# receive --------------------------------------------------------------------------------------------------------


@pytest.fixture
def put_off(monkeypatch):
    """Return what is logged as accepted, and not finished."""
    told = []
    monkeypatch.setattr(receive.log, "put_off", lambda id_, problem: told.append((id_, problem.code)))
    return told


def stage(failing_at_first=None, failing_at_last=None):
    @contextmanager
    def opened():
        if failing_at_first:
            raise failing_at_first
        yield "staged"
        if failing_at_last:
            raise failing_at_last

    return Given(open=opened)


FAILURES = [(OSError("gone"), Code.STORAGE_FAILED), (Problem(Code.DISK_FULL, ""), Code.DISK_FULL)]


@pytest.mark.parametrize(("error", "code"), FAILURES)
def test_a_storage_that_fails_before_the_receipt_is_a_problem(monkeypatch, put_off, error, code):
    monkeypatch.setattr(receive, "_receive", lambda *_given: pytest.fail("received"))
    assert problem_of(receive.receive, None, process(), [], ARRIVAL, stage(error)).code is code
    assert put_off == []


@pytest.mark.parametrize(("error", "code"), FAILURES)
def test_a_storage_that_fails_after_the_receipt_leaves_the_rest_to_recovery(monkeypatch, put_off, error, code):
    monkeypatch.setattr(receive, "_receive", lambda *_given: RECEIPT)
    assert receive.receive(None, process(), [], ARRIVAL, stage(None, error)) is RECEIPT
    assert put_off == [(RECEIPT.id, code)]


def test_a_delivery_is_put_together_in_the_stage_that_was_found_or_in_that_of_its_process(monkeypatch):
    seen = []
    monkeypatch.setattr(receive, "_receive", lambda *given: seen.append(given) or RECEIPT)
    found, looked_for = stage(), []
    context = Given(stage=lambda process: looked_for.append(process) or found)
    given = process()
    receive.receive(context, given, ["section"], ARRIVAL, found)
    assert looked_for == []
    receive.receive(context, given, ["section"], ARRIVAL)
    assert looked_for == [given]
    assert seen == [(receive.Intake(context, given, ARRIVAL, "staged"), ["section"])] * 2


@pytest.mark.parametrize("corrections", [None, {}, {"mrn": "2"}])
def test_a_problem_is_kept_with_the_source_id_that_was_read(monkeypatch, corrections):
    kept, seen = [], []
    parts = Given(parts=(METADATA,), problem=None)
    monkeypatch.setattr(receive, "collect", lambda *given: seen.append(given) or parts)
    monkeypatch.setattr(receive, "read", lambda _process, _parts, given: seen.append(dict(given)) or READING)
    monkeypatch.setattr(receive, "_accept", lambda *_given: problem())
    monkeypatch.setattr(receive, "keep_in_quarantine", lambda *given: kept.append(given[2]) or RECEIPT)

    def problem(*_given):
        raise Problem(Code.RULE_BROKEN, "", source_id="43")

    given = process(delivery={"unknown_parts": "keep"}, parts=("rules",))
    replayed = ARRIVAL._replace(replay=Replay(AT, "anna", corrections=corrections))
    for arrival in (replayed, ARRIVAL):
        assert receive._receive(intake(given, arrival), ["section"]) is RECEIPT
    assert [each for each in seen if isinstance(each, dict)] == [corrections or {}, {}]
    assert seen[0][:3] == (("rules",), "keep", ["section"])
    monkeypatch.setattr(receive, "read", problem)
    receive._receive(intake(given), ["section"])
    assert kept == ["42", "42", "43"]


class Ledger:
    """What was accepted before, by the id and by the sourceId."""

    def __init__(self, known=None, *latest):
        self.known, self.waiting = known, list(latest)

    def before(self, _id, process, source_id):
        assert (process, source_id) == ("scans", "42")
        return self.known, self.waiting.pop(0)

    def latest(self, process, source_id):
        assert (process, source_id) == ("scans", "42")
        return self.waiting.pop(0)


EARLIER = Given(id="B" * 20, version=4, received_at=AT)


@pytest.fixture
def accepted(monkeypatch):
    """Return a function that accepts a delivery, and the steps that it took."""
    steps = []
    monkeypatch.setattr(receive.publish, "duplicate", lambda *given: ("duplicate", *given[1:]))
    monkeypatch.setattr(receive, "scan", lambda *given: steps.append(("scan", given[1])))
    monkeypatch.setattr(receive, "as_published", lambda _process, parts, _staged: ("published", *parts))
    monkeypatch.setattr(receive, "low_confidence", lambda *_given: "low")
    monkeypatch.setattr(receive, "plan", lambda *given: (given[1].version, given[2:]))

    def rendering(_process, delivery, reading, parts, low, *, accept_rules):
        steps.append((delivery.version, delivery.previous and delivery.previous.id, reading, parts, low, accept_rules))
        return "rendered"

    monkeypatch.setattr(receive, "render", rendering)

    def accept(ledger, given, arrival=ARRIVAL, taken=()):
        waiting = list(taken)

        def publishing(_intake, entry):
            if waiting:
                raise waiting.pop(0)
            return ("entry", *entry)

        monkeypatch.setattr(receive, "_publish", publishing)
        context = Given(ledger=ledger)
        return receive._accept(receive.Intake(context, given, arrival, "staged"), READING, ("part",)), steps

    monkeypatch.setattr(receive, "delivery_id", lambda *given: "/".join(map(str, given)))
    return accept


def test_what_is_known_is_a_duplicate_before_anything_is_scanned(accepted):
    given = process(parts=[Given(scan="clamd:x")])
    assert accepted(Ledger("known", None), given) == (("duplicate", "known", ARRIVAL), [])


def test_other_content_of_a_source_id_may_be_ignored(accepted):
    given = process(delivery={"same_source_id": "ignore"})
    assert accepted(Ledger(None, EARLIER), given) == (("duplicate", EARLIER, ARRIVAL), [])
    (kind, version, _), _ = accepted(Ledger(None, None), given)
    assert (kind, version) == ("entry", 1)


def test_a_delivery_is_scanned_rendered_and_planned(accepted):
    given = process(parts=[Given(scan=None), Given(scan="clamd:x")])
    found, steps = accepted(Ledger(None, EARLIER), given)
    assert found == ("entry", 5, (("part",), "rendered", READING.fields))
    assert steps == [("scan", ("part",)), (5, "B" * 20, READING, ("published", "part"), "low", False)]


@pytest.mark.parametrize(("confidence", "rules"), [(True, False), (False, True)])
def test_who_has_looked_accepts_low_confidence_or_rules(accepted, confidence, rules):
    arrival = ARRIVAL._replace(replay=Replay(AT, "anna", accept_confidence=confidence, accept_rules=rules))
    _, ((_, _, _, _, low, accept_rules),) = accepted(Ledger(None, None), process(), arrival)
    assert (low, accept_rules) == (None if confidence else "low", rules)


def test_a_version_that_another_one_took_first_is_rendered_again_as_the_next(accepted):
    found, steps = accepted(Ledger(None, None, EARLIER), process(), taken=[VersionTakenError(5)])
    assert found[1] == 5
    assert [each[:2] for each in steps] == [(1, None), (5, "B" * 20)]


@pytest.mark.parametrize(
    ("receipt", "additions", "steps"),
    [
        (RECEIPT, (), ["publish"]),
        (RECEIPT, ADDED, ["publish", "batches"]),
        (RECEIPT._replace(again=True), (), ["publish", "discard"]),
        (RECEIPT._replace(duplicate=True), ADDED, []),
        (RECEIPT._replace(duplicate=True, again=True), ADDED, ["discard"]),
    ],
)
@pytest.mark.parametrize("failing", [None, 0, 1])
def test_from_the_commit_on_the_answer_is_the_receipt(monkeypatch, put_off, receipt, additions, steps, failing):
    done = []

    def step(name, *expected):
        def function(*given):
            assert given == expected
            if len(done) == failing:
                raise Problem(Code.STORAGE_FAILED, "")
            done.append(name)

        return function

    entry = Given(id=RECEIPT.id, process="scans", additions=additions)
    given = intake(process())

    def commit(*arguments):
        assert arguments == ("ledger", given.staged, entry, 7)
        return receipt

    monkeypatch.setattr(receive.publish, "commit", commit)
    monkeypatch.setattr(receive.publish, "publish", step("publish", "ledger", given.staged, entry))
    monkeypatch.setattr(receive.batches, "publish_closed_by", step("batches", given.context, given.process, RECEIPT.id))
    monkeypatch.setattr(receive.quarantine, "discard", step("discard", Path("/var"), "scans", RECEIPT.id))
    assert receive._publish(given, entry) is receipt
    failed = failing is not None and failing < len(steps)
    assert done == (steps[:failing] if failed else steps)
    assert put_off == ([(RECEIPT.id, Code.STORAGE_FAILED)] if failed else [])
