"""Seeds a fault into a copy of its site, and tells how it is found."""

import difflib
import shutil
import tempfile
from enum import StrEnum
from pathlib import Path

from receiver.authoring.cases.cases import cases, processes
from receiver.authoring.cases.verdict import PROBLEM, Status, prove
from receiver.authoring.check import check
from receiver.core.faults import ConfigurationError, Fault
from receiver.core.settings import Settings
from tests.faults.catalogue import SITES, Seeded

ENVIRONMENT = {
    "RECEIVER_TOKEN": "an-invented-token-0",
    "REFERRALS_TOKEN": "an-invented-token-1",
    "LABS_TOKEN": "an-invented-token-2",
}


class Found(StrEnum):
    """How a fault is found, the best first."""

    AT_ITS_LINE = "at its line"  # by check, with its code
    ELSEWHERE = "elsewhere"  # by check, at another line or by another code
    BY_TEST = "by test alone"  # a sample that was published is refused
    NOT = "missed"


def judge(seed: Seeded) -> tuple[Found, list[Fault]]:
    """Seed a fault; return how it is found, and all that check tells."""
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder, "site")
        _copy(seed, site)
        changed = _edit(site / seed.file, seed)
        settings = Settings.from_environment({"RECEIVER_SITE": str(site), "RECEIVER_DATA": str(site / "var")})
        try:
            told = [fault for fault in check(settings, ENVIRONMENT) if not fault.code.startswith("unused-")]
        except Exception as error:  # noqa: BLE001 (check itself is at fault, and the others are still to be judged)
            return Found.NOT, [Fault(seed.file, 1, 1, "crash", repr(error))]
        if any(fault.code == "unreadable-content" for fault in told):
            return Found.NOT, told  # check has given up
        if any(fault.code in seed.codes and _there(fault, seed, site, changed) for fault in told):
            return Found.AT_ITS_LINE, told
        if any(fault.severity != "info" for fault in told):
            return Found.ELSEWHERE, told
        return (Found.BY_TEST if _refused(settings) else Found.NOT), told


def _copy(seed: Seeded, target: Path) -> None:
    """Copy a site; of one with many processes only that of the edit, and those that use an edited schema."""
    source = SITES[seed.site]
    shutil.copytree(source / "schemas", target / "schemas")
    for folder in sorted((source / "mappings").iterdir()):
        text = (folder / "process.toml").read_text() if folder.is_dir() else ""
        schema = Path(seed.file).name if seed.process is None else None
        if text and (seed.site == "sound" or folder.name == seed.process or (schema and schema in text)):
            shutil.copytree(folder, target / "mappings" / folder.name)


def _edit(file: Path, seed: Seeded) -> range:
    """Replace the first `old` by `new`; return the lines that this changed, from 1."""
    before = file.read_text()
    assert seed.old in before, f"{seed}: there is no such text"
    after = before.replace(seed.old, seed.new, 1)
    file.write_text(after)
    matcher = difflib.SequenceMatcher(None, before.split("\n"), after.split("\n"), autojunk=False)
    changed = [(low, high) for tag, _, _, low, high in matcher.get_opcodes() if tag != "equal"]
    return range(changed[0][0] + 1, max(changed[-1][1], changed[-1][0] + 1) + 1)


def _there(fault: Fault, seed: Seeded, site: Path, changed: range) -> bool:
    if not seed.places:
        return fault.file == seed.file and fault.line in changed
    return any(_at(fault, place, site) for place in seed.places)


def _at(fault: Fault, place: str, site: Path) -> bool:
    file, _, text = place.partition(": ")
    if fault.file != file or not text:
        return fault.file == file
    lines = (site / file).read_text().split("\n")
    return fault.line <= len(lines) and text.partition("#")[0] in lines[fault.line - 1]


def _refused(settings: Settings) -> bool:
    """Tell whether `receiver test` finds a sample refused that is to be published: nobody needs to look at records."""
    try:
        proofs = [prove(case, settings.max_body) for each in processes(settings).values() for case in cases(each)]
    except ConfigurationError:
        return True
    return any(
        proof.verdict.status is Status.ERROR or (proof.outcome.problem and not (proof.case.expected / PROBLEM).exists())
        for proof in proofs
    )
