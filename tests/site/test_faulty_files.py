"""Each faulty/NAME.toml has exactly the faults that faulty/NAME.txt lists, each `line:column: code message (hint)`."""

from pathlib import Path

import pytest

from receiver.core.faults import ConfigurationError
from receiver.site.config.build import read
from tests.support.site_of import put

FAULTY = sorted((Path(__file__).parent / "faulty").glob("*.toml"))


@pytest.mark.parametrize("faulty", FAULTY, ids=lambda path: path.stem)
def test_all_faults_of_a_file_are_told_at_once(faulty, tmp_path):
    folder = put(tmp_path, "faulty", faulty.read_bytes())
    with pytest.raises(ConfigurationError) as raised:
        read(folder, tmp_path)
    told = [str(fault).removeprefix("mappings/faulty/process.toml:") for fault in raised.value.faults]
    assert told == faulty.with_suffix(".txt").read_text().splitlines()


def test_a_token_written_in_the_file_is_not_repeated(tmp_path):
    toml = '[auth]\ntokens = ["an-invented-token-of-the-sender"]\n'
    with pytest.raises(ConfigurationError) as raised:
        read(put(tmp_path, "referrals", toml), tmp_path)
    assert "an-invented" not in str(raised.value)


def test_a_missing_file_is_told_with_its_name(tmp_path):
    folder = put(tmp_path, "referrals")
    (folder / "process.toml").unlink()
    with pytest.raises(ConfigurationError, match=r"^mappings/referrals/process\.toml:1:1: file-unreadable"):
        read(folder, tmp_path)
