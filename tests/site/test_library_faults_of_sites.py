"""Whatever a library raises on a file of a site is a fault of that file: the check ends, and so does the start."""

import re
import shutil
from pathlib import Path

import pytest

from receiver.app import prepare
from receiver.authoring.check import check
from receiver.core.faults import ConfigurationError
from receiver.core.settings import Settings

ROOT = Path(__file__).parents[2]
TOML = "mappings/referrals/process.toml"
TEMPLATE = "mappings/referrals/mdm_t02.hl7.j2"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for name in ("mappings/referrals", "schemas"):
        shutil.copytree(ROOT / name, tmp_path / "site" / name)
    return tmp_path / "site"


def write(site: Path, file: str, content: str) -> None:
    (site / file).write_text(content, "utf-8")


def settings_of(site: Path) -> Settings:
    return Settings.from_environment({"RECEIVER_SITE": str(site), "RECEIVER_DATA": str(site / "data")})


def source_id(path: str) -> str:
    return re.sub(r"(?m)^source_id = .*$", f"source_id = '{path}'", (ROOT / TOML).read_text())


# Texts that made tomllib, jsonschema, Jinja or JMESPath raise something that is not in their documentation.
@pytest.mark.parametrize(
    ("file", "content"),
    [
        (TOML, "x = " + "[" * 20_000),
        (TOML, "x = " + "[" * 400 + "]" * 400),
        (TOML, ".".join("a" * 3_000) + " = 1"),
        (TOML, "x = " + "9" * 6_000),
        (TEMPLATE, "MSH|{{ " + "9" * 6_000 + " }}"),
        (TEMPLATE, "MSH|{{ " + "1 + " * 5_000 + "1 }}"),
        (TEMPLATE, "MSH|{{ 1" + "|upper" * 5_000 + " }}"),
        (TEMPLATE, "MSH|{{ fields" + ".b" * 5_000 + " }}"),
        (TEMPLATE, "MSH|{{ " + "(" * 3_000 + "1" + ")" * 3_000 + " }}"),
        (TOML, source_id("(" * 3_000 + "a" + ")" * 3_000)),
        (TOML, source_id("!" * 3_000 + "a")),
        (TOML, source_id("a[" + "9" * 6_000 + "]")),
        (TOML, source_id("`" + "[" * 3_000 + "]" * 3_000 + "`")),
    ],
    ids=map(str, range(13)),
)
def test_whatever_a_library_raises_is_a_fault_of_the_file(site: Path, file: str, content: str) -> None:
    write(site, file, content)
    settings = settings_of(site)
    assert file in {fault.file for fault in check(settings, {"RECEIVER_TOKEN": "t" * 40})}
    with pytest.raises(ConfigurationError, match=file):
        prepare(settings)


def test_a_path_that_a_library_gives_up_on_is_told_with_its_line(site: Path) -> None:
    write(site, TOML, source_id("!" * 3_000 + "a"))
    line = source_id("").split("\n").index("source_id = ''") + 1
    settings = settings_of(site)
    found = [fault for fault in check(settings, {"RECEIVER_TOKEN": "t" * 40}) if fault.code == "unreadable-content"]
    assert [(fault.file, fault.line) for fault in found] == [(TOML, line)]
