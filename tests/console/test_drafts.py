"""Drafts by themselves: which files may be edited, what is held against one, and what is kept of a former state."""

from types import SimpleNamespace as Given

import pytest

from receiver.core.faults import ConfigurationError, Fault, Severity
from receiver.operations import rehearsal, replay
from receiver.store import durable
from receiver.web.console import drafts


def test_the_files_of_a_process_are_edited_but_for_its_samples(tmp_path):
    folder = tmp_path / "mappings/scans"
    for name in (
        "b.j2",
        "process.toml",
        "a.csv",
        "parts/c.j2",
        "samples/case/expected.csv",
        "samples/x.toml",
        "notes.md",
    ):
        folder.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
        folder.joinpath(name).write_text("")
    assert drafts.names(Given(site=tmp_path), "scans") == ["process.toml", "a.csv", "b.j2", "parts/c.j2"]


def fault(file="mappings/scans/a.j2", code="unknown", severity=Severity.ERROR):
    return Fault(file, 1, 1, code, "it is wrong", severity=severity)


def test_findings_are_those_of_the_process_but_for_tokens_which_nobody_knows_here(monkeypatch):
    own = [fault(), fault("mappings/scans/parts/token-b.j2", "not-token-")]
    others = [fault("mappings/scans2/a.j2"), fault("a.j2"), fault(code="token-unset")]
    monkeypatch.setattr(
        drafts, "check", lambda draft, tokens: [*others, *own] if (draft, tokens) == ("draft", {}) else []
    )
    assert drafts.findings("draft", "scans") == own


def test_a_kept_delivery_is_judged_by_the_draft_with_what_people_said_of_it(monkeypatch):
    kept, asked = Given(), []
    monkeypatch.setattr(replay, "find", lambda *_: ("in force", kept))
    monkeypatch.setattr(drafts, "processes", lambda draft, names: {names[0]: draft})
    monkeypatch.setattr(rehearsal, "judge", lambda *given, **how: asked.append((given, how)) or "outcome")
    entry = Given(process="scans")
    assert drafts.of_kept("draft", "context", entry) == "outcome"
    assert asked == [(("context", "draft", kept, entry), {"accept_confidence": True})]


CASE = Given(name="one", process="compiled", version=3)


@pytest.mark.parametrize(("name", "found"), [("one", ("compiled", "what comes in", {"version": 3})), ("two", None)])
def test_a_case_is_run_by_the_draft(monkeypatch, name, found):
    monkeypatch.setattr(drafts, "processes", lambda draft, names: {names[0]: draft})
    monkeypatch.setattr(drafts, "cases", lambda draft: [CASE] if draft.max_body == 7 else [])
    monkeypatch.setattr(drafts, "incoming", lambda case, most: "what comes in" if (case, most) == (CASE, 7) else "")
    monkeypatch.setattr(drafts, "run", lambda *given, **how: (*given, how))
    assert drafts.of_case(Given(max_body=7), "scans", name) == found


def test_a_case_that_fails_or_becomes_something_else_is_held_against_a_draft(monkeypatch):
    status = drafts.verdict.Status
    verdicts = {each.name: Given(status=each, differences=[f"{each} differs"]) for each in status}
    monkeypatch.setattr(drafts, "processes", lambda draft, names: {names[0]: draft})
    monkeypatch.setattr(drafts, "cases", lambda _: [Given(name=name) for name in verdicts])
    monkeypatch.setattr(drafts.verdict, "prove", lambda case, _: Given(case=case, verdict=verdicts[case.name]))
    bad = {status.CHANGED, status.ERROR}
    assert drafts.broken_cases(Given(max_body=7), "scans") == {each.name: (f"{each} differs",) for each in bad}


@pytest.mark.parametrize(
    ("found", "broken", "against"),
    [
        ([], {}, []),
        ([fault(severity=Severity.WARNING)], {}, []),
        ([fault(severity=Severity.WARNING), fault()], {"one": ()}, [str(fault())]),
        ([], {"one": ("a", "b"), "two": ()}, ["samples/one: a", "samples/one: b", "samples/two: differs"]),
        ([], None, [str(fault(code="broken"))]),
    ],
)
def test_errors_and_else_differing_cases_keep_a_draft_from_being_saved(monkeypatch, found, broken, against):
    def broken_cases(_draft, _process):
        if broken is None:
            raise ConfigurationError([fault(code="broken")])
        return broken

    monkeypatch.setattr(drafts, "findings", lambda *_: found)
    monkeypatch.setattr(drafts, "broken_cases", broken_cases)
    assert drafts.against("draft", "scans") == against


def test_so_many_former_states_are_kept_the_newest_ones(monkeypatch, tmp_path):
    synced = []
    monkeypatch.setattr(drafts, "KEPT", 2)
    monkeypatch.setattr(durable, "sync_folder", synced.append)
    for content in (b"1", b"2", b"3"):
        drafts._keep_former(tmp_path, "scans", "parts/a.j2", content)
    folder = tmp_path / drafts.FOLDER / "scans/parts/a.j2"
    assert [path.read_bytes() for path in sorted(folder.iterdir())] == [b"2", b"3"]
    assert synced.count(folder) == 3
    assert (tmp_path / drafts.FOLDER / "README").is_file()


def test_a_draft_takes_the_place_of_its_file_with_the_same_rights(monkeypatch, tmp_path):
    path = tmp_path / "mappings/scans/a.j2"
    path.parent.mkdir(parents=True)
    path.write_text("former")
    path.chmod(0o640)
    kept = []
    monkeypatch.setattr(drafts, "_keep_former", lambda *former: kept.append(former))
    drafts.save(Given(site=tmp_path, data="data"), "scans", "a.j2", b"now")
    assert kept == [("data", "scans", "a.j2", b"former")]
    assert (path.read_text(), path.stat().st_mode & 0o777, list(path.parent.iterdir())) == ("now", 0o640, [path])
