"""Which process a request leads to, and who may enter. The processes are compiled from real folders."""

import shutil
from pathlib import Path

import pytest

from receiver.core.problems import Code, Problem
from receiver.core.settings import Settings
from receiver.site import compiling
from receiver.web.deliveries import bearer, find_process, require_token

ROOT = Path(__file__).parent.parent.parent
TOKENS = {"REFERRALS": "r" * 15 + "1", "LABS": "l" * 15 + "2", "NEW_LABS": "n" * 15 + "3", "SHARED": "s" * 15 + "4"}


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    """Four processes: one by host name, one with two tokens of its own, a default one, and an open one."""
    site = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "schemas", site / "schemas")
    for name, auth, route in [
        ("by-host", 'tokens = ["env:SHARED", "env:REFERRALS"]', 'host = "referrals.example.org"'),
        ("labs", 'tokens = ["env:LABS", "env:NEW_LABS"]', ""),
        ("fallback", 'tokens = ["env:SHARED"]', "default = true"),
        ("open-door", "open = true", ""),
    ]:
        folder = site / "mappings" / name
        shutil.copytree(ROOT / "mappings" / "referrals", folder)
        text = (folder / "process.toml").read_text()
        text = text.replace('tokens = ["env:RECEIVER_TOKEN"]', auth).replace("default = true", route)
        (folder / "process.toml").write_text(text.replace('directory = "referrals"', f'directory = "{name}"'))
    settings = Settings.from_environment({"RECEIVER_SITE": str(site), "RECEIVER_DATA": str(site / "var")})
    return compiling.proven(settings, TOKENS)


def admitted(processes, name: str | None, host: str, authorization: str) -> str:
    token = bearer(authorization)
    process = find_process(processes, name, host, token)
    require_token(process, token)
    return process.name


def entered(processes, name: str | None, host: str = "", token: str | None = None) -> str:
    return admitted(processes, name, host, "" if token is None else f"Bearer {TOKENS.get(token, token)}")


def refusal(processes, authorization: str, name: str | None = None) -> Code:
    with pytest.raises(Problem) as caught:
        admitted(processes, name, "", authorization)
    return caught.value.code


def test_the_path_names_the_process(processes):
    assert entered(processes, "labs", token="LABS") == "labs"


def test_any_of_two_tokens_opens_the_door_while_one_is_rotated(processes):
    assert entered(processes, "labs", token="NEW_LABS") == "labs"


def test_the_host_name_tells_the_process(processes):
    assert entered(processes, None, host="referrals.example.org", token="SHARED") == "by-host"


def test_a_token_that_one_process_alone_knows_tells_the_process(processes):
    assert entered(processes, None, host="other.example.org", token="LABS") == "labs"


def test_a_shared_token_leads_to_the_default(processes):
    assert entered(processes, None, token="SHARED") == "fallback"


def test_an_open_process_asks_for_no_token(processes):
    assert entered(processes, "open-door") == "open-door"
    assert entered(processes, "open-door", token="anything") == "open-door"


def test_a_token_of_another_process_is_refused(processes):
    assert refusal(processes, f"Bearer {TOKENS['LABS']}", name="by-host") is Code.TOKEN_REFUSED
    assert refusal(processes, f"Bearer {TOKENS['REFERRALS']}", name="labs") is Code.TOKEN_REFUSED


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Basic {TOKENS['LABS']}",
        TOKENS["LABS"],
        f"Bearer {TOKENS['LABS']} more",
        f"Bearer {TOKENS['LABS']},Bearer {TOKENS['LABS']}",
        "Bearer \xff",
    ],
)
def test_anything_but_one_bearer_header_is_no_token(processes, authorization):
    assert refusal(processes, authorization, name="labs") is Code.TOKEN_REFUSED


def test_an_unknown_name_leads_nowhere(processes):
    assert refusal(processes, f"Bearer {TOKENS['LABS']}", name="nothing") is Code.NO_SUCH_PROCESS
    assert refusal(processes, "", name="nothing") is Code.NO_SUCH_PROCESS


def test_without_a_default_an_unknown_token_leads_nowhere(processes):
    others = {name: process for name, process in processes.items() if name != "fallback"}
    assert refusal(others, "Bearer unknown") is Code.NO_SUCH_PROCESS
    assert refusal(others, "") is Code.TOKEN_REFUSED
    assert refusal(others, "Bearer ") is Code.TOKEN_REFUSED
