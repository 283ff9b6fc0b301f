"""The sites that ship, and their samples."""

import os
from functools import cache
from pathlib import Path

from receiver.authoring.cases.cases import Case
from receiver.core.settings import Settings
from receiver.site.compiling import proven

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
ENVIRONMENT = {"RECEIVER_TOKEN": "a-token-for-the-tests-of-the-examples"}
MANY = int(os.environ.get("FUZZ_EXAMPLES", "25"))


def settings(site: Path) -> Settings:
    return Settings.from_environment({"RECEIVER_SITE": str(site)})


@cache
def processes(site: Path):
    return proven(settings(site), ENVIRONMENT)


def case(process: str, name: str) -> Case:
    site = EXAMPLES if (EXAMPLES / "mappings" / process).is_dir() else ROOT
    found = processes(site)[process]
    return Case(found, found.config.folder / "samples" / name)


def record(process: str, name: str, suffix: str) -> Path:
    (path,) = case(process, name).expected.glob(f"*{suffix}")
    return path


def content(process: str, name: str, suffix: str) -> bytes:
    return record(process, name, suffix).read_bytes()
