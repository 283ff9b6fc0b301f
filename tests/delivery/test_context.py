"""What the threads of a worker share: which stage is taken anew, which disks count, and what other hosts are told."""

from pathlib import Path
from types import SimpleNamespace as Given

import pytest

from receiver.core.faults import ConfigurationError
from receiver.core.problems import Code, Problem
from receiver.delivery import context
from receiver.delivery.context import Context


def process(name="scans", output="/output", further=(), *, journal=False):
    return Given(
        name=name,
        output=Path(output),
        further=dict.fromkeys(map(Path, further)),
        digest=f"digest of {name}",
        config=Given(output=Given(journal=journal)),
    )


def away(*_given, **_more):
    raise Problem(Code.STORAGE_FAILED, "away")


class Stage:
    """A stage that leads to one output folder."""

    def __init__(self, output="/output", owner="me", root="/stage"):
        self.output, self.owner, self.root, self.closed, self.disks = Path(output), owner, Path(root), False, []

    def serves(self, output):
        return output == self.output

    def close(self):
        self.closed = True


def sharing(*processes, stages=None, data=Path("/var"), folders=(), min_free=0, hosts=None):
    ledger = Given(owner="me", folders=folders, hosts=hosts)
    known = {process.name: process for process in processes}
    return Context(Given(data=data, min_free=min_free), known, ledger, dict(stages or {}))


@pytest.fixture
def made(monkeypatch):
    """Return what each new stage is made with."""
    told = []

    def stage_of(settings, process, owner, *, create):
        told.append((settings, process.name, owner, create))
        return Stage(process.output)

    monkeypatch.setattr(context, "stage_of", stage_of)
    return told


@pytest.mark.parametrize(
    ("stage", "is_kept"),
    [(Stage(), True), (Stage(owner="another"), False), (Stage("/elsewhere"), False), (None, False)],
    ids=["serves", "of another owner", "of another folder", "none"],
)
def test_a_stage_is_made_anew_where_it_does_not_serve(made, stage, is_kept):
    shared = sharing(process(), stages={"scans": stage} if stage else {})
    found = shared.stage(process())
    assert found is shared.stages["scans"]
    assert (found is stage) is is_kept
    assert made == ([] if is_kept else [(shared.settings, "scans", "me", False)])
    assert stage is None or stage.closed is not is_kept


def test_output_folders_that_are_away_are_told_with_the_reason(monkeypatch):
    monkeypatch.setattr(context, "stage_of", away)
    found = sharing(process(), process("faxes"), stages={"scans": Stage()}).away()
    assert {name: problem.detail for name, problem in found.items()} == {"faxes": "away"}


@pytest.mark.parametrize(("least", "fits"), [(4, True), (5, True), (6, False)])
def test_each_disk_of_a_delivery_needs_so_much_free_space(monkeypatch, tmp_path, least, fits):
    asked = []
    monkeypatch.setattr(context, "free_space", lambda folder: asked.append(folder) or {Path("/b"): 5}.get(folder, 99))
    monkeypatch.setattr(context, "_one_on_each", lambda folders: [Path("/a"), Path("/b"), *folders])
    shared = sharing(process(), stages={"scans": Stage()}, folders=[Path("/ledger")], min_free=least)
    if not fits:
        with pytest.raises(Problem) as caught:
            shared.stage_with_space(process())
        assert caught.value.code is Code.DISK_FULL
        return
    assert shared.stage_with_space(process()) is shared.stages["scans"]
    assert asked == list(map(Path, ("/a", "/b", "/stage", "/var", "/ledger")))
    monkeypatch.setattr(context, "_one_on_each", lambda _folders: pytest.fail("looked for again"))
    shared.stage_with_space(process())


def test_every_folder_that_is_written_to_counts_among_the_disks(monkeypatch):
    monkeypatch.setattr(context, "_one_on_each", lambda folders: folders)
    processes = process(output="/b", further=["/c"]), process("faxes", output="/a")
    stages = {"scans": Stage(root="/y"), "faxes": Stage(root="/x")}
    shared = sharing(*processes, stages=stages, folders=[Path("/ledger")])
    assert list(map(str, shared.disks())) == ["/var", "/ledger", "/x", "/y", "/a", "/b", "/c"]
    assert shared.roots() == {Path("/x"), Path("/y")}


def test_of_each_file_system_the_first_folder_that_is_there_counts(tmp_path):
    (tmp_path / "other").mkdir()
    missing = tmp_path / "missing"
    assert context._one_on_each([missing, tmp_path, tmp_path / "other", Path("/proc")]) == [tmp_path, Path("/proc")]


def test_a_host_that_is_one_of_several_says_what_it_serves(tmp_path):
    served = []
    shared = sharing(process(), data=tmp_path, hosts=Given(serve=served.append))
    for _ in range(2):
        shared.announce()
    assert shared.place_of("me").is_dir()
    assert shared.place_of("me").parent.parent == tmp_path
    assert served == [shared.site_digest()] * 2
    (tmp_path / "var").write_text("a file in the way")
    with pytest.raises(Problem) as caught:
        sharing(process(), data=tmp_path / "var", hosts=Given(serve=served.append)).announce()
    assert caught.value.code is Code.STORAGE_FAILED


def test_a_host_alone_says_nothing(tmp_path):
    sharing(process(), data=tmp_path).announce()
    assert list(tmp_path.iterdir()) == []


def test_the_digest_of_a_site_is_that_of_its_processes_in_any_order():
    first, second = process(), process("faxes")
    assert sharing(first, second).site_digest() == sharing(second, first).site_digest() == "78de035b66cc"
    second.digest = "another"
    assert sharing(first, second).site_digest() != sharing(first, process("faxes")).site_digest()


@pytest.fixture
def opened(monkeypatch, tmp_path):
    """Return the steps in which a context is opened."""
    steps = []
    for name in ("quarantine", "originals"):
        ensure = lambda data, name=name: steps.append((name, data))  # noqa: E731
        monkeypatch.setattr(getattr(context, name), "ensure_folder", ensure)
    monkeypatch.setattr(context.Roots, "of", lambda settings: ("roots of", settings.data))
    monkeypatch.setattr(context, "Ledger", lambda url, roots: Given(url=url, roots=roots, owner="me"))
    monkeypatch.setattr(
        context, "stages_of", lambda *given, create: steps.append((*given[1:], create)) or {"a": Stage()}
    )
    monkeypatch.setattr(context, "recover", lambda ledger, data, roots: ("recovered", ledger.url, data, roots))
    monkeypatch.setattr(context.log, "recovered", steps.append)
    return steps


@pytest.mark.parametrize("create", [True, False])
def test_a_context_is_opened_with_its_folders_and_recovered(opened, create):
    settings = Given(data="/var", ledger="url")
    found = context.open_context(settings, {"scans": "process"}, create=create)
    assert (found.settings, found.processes, found.ledger.roots) == (
        settings,
        {"scans": "process"},
        ("roots of", "/var"),
    )
    assert opened == [
        ("quarantine", "/var"),
        ("originals", "/var"),
        ({"scans": "process"}, "me", create),
        ("recovered", "url", "/var", {Path("/stage")}),
    ]


def test_folders_are_created_unless_it_is_said_otherwise(opened):
    context.open_context(Given(data="/var", ledger="url"), {})
    assert opened[2] == ({}, "me", True)
    context.open_unrecovered(Given(data="/var", ledger="url"), {})
    assert opened[-1] == ({}, "me", True)


def test_stages_that_cannot_be_made_are_left_for_later(monkeypatch):
    def stage_of(settings, process, owner, *, create):
        return away() if process == "away" else (settings, process, owner, create)

    monkeypatch.setattr(context, "stage_of", stage_of)
    found = context.stages_of("settings", {"a": "here", "b": "away"}, "me", create=False)
    assert found == {"a": ("settings", "here", "me", False)}


@pytest.mark.parametrize("journal", [True, False])
@pytest.mark.parametrize("create", [True, False])
def test_a_stage_leads_to_every_folder_of_its_process_and_each_has_a_journal(monkeypatch, journal, create):
    steps = []
    stage = Given(require_leads_to=lambda folder, create: steps.append((str(folder), create)))
    monkeypatch.setattr(context, "stage_for", lambda *given, **more: steps.append((*given, more)) or stage)
    monkeypatch.setattr(context.journal, "ensure_folder", lambda folder: steps.append(str(folder)))
    given = process(further=["/billing"], journal=journal)
    assert context.stage_of(Given(data="/var"), given, "me", create=create) is stage
    made = [("/var", Path("/output"), {"owner": "me", "create": create}), ("/billing", create)]
    assert steps == made + (["/output", "/billing"] if journal else [])


@pytest.mark.parametrize("compiled", [{"a": 1, "b": 2, "c": 3}, {"a": 1, "c": 3}])
def test_processes_in_force_are_those_that_were_proven(monkeypatch, compiled):
    sites = [("site", ["a", "b"]), ("former site", ["d"])]
    monkeypatch.setattr(context.in_force, "sites", lambda settings, state: sites if (settings, state) == (1, 2) else [])
    monkeypatch.setattr(
        context, "compile_site", lambda site, tokens, names: (compiled if site == "site" else {"d": 4}, ["fault"])
    )
    if "b" in compiled:
        assert context.processes_in_force(1, 2) == {"a": 1, "b": 2, "d": 4}
    else:
        with pytest.raises(ConfigurationError) as caught:
            context.processes_in_force(1, 2)
        assert list(caught.value.faults) == ["fault"]
