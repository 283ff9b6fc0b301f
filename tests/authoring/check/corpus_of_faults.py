"""The corpus: each folder holds one file that differs from the sound site, and the place and code of its fault."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from receiver.authoring.check import check
from receiver.core.faults import Fault
from receiver.core.settings import Settings

HERE = Path(__file__).parent
SOUND = HERE / "sound"
CASES = sorted(path for path in (HERE / "corpus").iterdir() if path.is_dir())
EXPECTED = "expected.txt"
ENVIRONMENT = {
    "REFERRALS_TOKEN": "an-invented-token-1",
    "LABS_TOKEN": "an-invented-token-2",
    "SHORT_TOKEN": "abc123",
    "BLANK_TOKEN": "an invented token with blanks",
}


def faults_of(site: Path, environment: Mapping[str, str] = ENVIRONMENT, **settings: str) -> list[Fault]:
    """Check a site. Settings are given by their names without the prefix: `max_body="1 GB"`."""
    given = {f"RECEIVER_{name.upper()}": value for name, value in settings.items()}
    plain = {"RECEIVER_SITE": str(site), "RECEIVER_DATA": str(site / "var")}
    return check(Settings.from_environment(plain | given), environment)


def patched(case: Path, target: Path) -> Path:
    """Copy the sound site and put the file of a case over it."""
    shutil.copytree(SOUND, target)
    shutil.copytree(case, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns(EXPECTED))
    return target


def change(file: Path, old: str, new: str) -> None:
    """Write `new` in the place of the first `old` of a file, which must have it."""
    text = file.read_text()
    assert old in text, file
    file.write_text(text.replace(old, new, 1))


def told(faults: list[Fault]) -> list[str]:
    """Write faults as a case's expected.txt does."""
    return [f"{fault.file}:{fault.line} {fault.code}" for fault in faults]
