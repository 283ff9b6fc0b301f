"""The processes of a site, and the faults between them."""

from pathlib import Path

import pytest

from receiver.core.faults import Severity
from receiver.site.config.site import conflicts, find, named_variables
from receiver.site.config.tokens import read_tokens
from tests.support.site_of import SMALLEST, configured, put

ENVIRON = {"ONE": "an-invented-token-1", "TWO": "an-invented-token-2"}


def with_token(*names):
    tokens = ", ".join(f'"env:{name}"' for name in names)
    return SMALLEST.replace("open = true", f"tokens = [{tokens}]")


def judged(site, output=Path("output"), **processes):
    configs = [configured(site, name.replace("_", "-"), toml) for name, toml in processes.items()]
    tokens = {config.name: read_tokens(config, ENVIRON)[0] for config in configs}
    return conflicts(configs, tokens, output)


def codes(faults):
    return [(fault.code, fault.severity) for fault in faults]


def test_processes_come_by_name(tmp_path):
    for name in ("referrals", "a_2", "intake-forms"):
        put(tmp_path, name)
    folders, faults = find(tmp_path)
    assert [folder.name for folder in folders] == ["a_2", "intake-forms", "referrals"]
    assert faults == []


def test_files_and_hidden_folders_are_no_processes(tmp_path):
    put(tmp_path, "referrals")
    (tmp_path / "mappings" / "README.md").touch()
    (tmp_path / "mappings" / ".git").mkdir()
    folders, faults = find(tmp_path)
    assert [folder.name for folder in folders] == ["referrals"]
    assert faults == []


@pytest.mark.parametrize("name", ["Referrals", "lab reports", "überweisung", "-a", "a.b", "a" * 65])
def test_a_process_is_named_as_its_url_can_be_written(name, tmp_path):
    put(tmp_path, name)
    put(tmp_path, "referrals")
    folders, [fault] = find(tmp_path)
    assert [folder.name for folder in folders] == ["referrals"]
    assert (fault.file, fault.code) == (f"mappings/{name}", "bad-name")


@pytest.mark.parametrize("made", ["", "mappings"])
def test_a_site_without_processes_is_told_how_to_begin(made, tmp_path):
    (tmp_path / made).mkdir(exist_ok=True)
    folders, [fault] = find(tmp_path)
    assert folders == []
    assert fault.code == "no-process"
    assert "receiver new" in fault.hint


def test_a_site_that_is_not_there_is_named(tmp_path):
    _, [fault] = find(tmp_path / "nowhere")
    assert fault.code == "no-process"
    assert str(tmp_path / "nowhere") in fault.message


def test_processes_that_keep_apart_have_no_faults(tmp_path):
    assert judged(tmp_path, one=with_token("ONE"), two=with_token("TWO")) == []


def test_a_host_name_leads_to_one_process(tmp_path):
    one = SMALLEST + '[route]\nhost = "a.example.org"\n'
    two = SMALLEST + '[route]\nhost = "A.example.org"\n'
    faults = judged(tmp_path, one=one, two=two)
    assert [str(fault) for fault in faults] == [
        "mappings/two/process.toml:11:8: route-taken route.host leads to one already (one process of the two only)"
    ]


def test_there_is_one_default(tmp_path):
    toml = SMALLEST + "[route]\ndefault = true\n"
    faults = judged(tmp_path, one=toml, two=SMALLEST, three=toml)
    assert codes(faults) == [("route-taken", Severity.ERROR)]
    assert faults[0].file == "mappings/three/process.toml"


def test_a_shared_token_leaves_the_bare_url_undecided(tmp_path):
    faults = judged(tmp_path, one=with_token("ONE"), two=with_token("TWO", "ONE"), three=with_token("TWO"))
    assert codes(faults) == [("token-shared", Severity.WARNING)] * 2
    assert {fault.message.partition(":")[0] for fault in faults} == {"one or two", "two or three"}


def test_a_token_shared_under_two_names_is_still_shared(tmp_path, monkeypatch):
    monkeypatch.setitem(ENVIRON, "TWO", ENVIRON["ONE"])
    faults = judged(tmp_path, one=with_token("ONE"), two=with_token("TWO"))
    assert codes(faults) == [("token-shared", Severity.WARNING)]


def test_a_shared_token_is_in_order_where_there_is_a_default(tmp_path):
    one = with_token("ONE") + "[route]\ndefault = true\n"
    assert judged(tmp_path, one=one, two=with_token("ONE")) == []


def test_a_shared_token_is_in_order_where_the_host_name_tells(tmp_path):
    one = with_token("ONE") + '[route]\nhost = "one.example.org"\n'
    assert judged(tmp_path, one=one, two=with_token("ONE")) == []


@pytest.mark.parametrize(
    ("first", "second"), [("a", "a"), ("a", "a/"), ("a", "a/b"), ("a/b", "a"), ("a", "{output}/a")]
)
def test_every_process_writes_into_a_folder_of_its_own(first, second, tmp_path):
    output = tmp_path / "output"
    one, two = (f'{SMALLEST}[output]\ndirectory = "{name.format(output=output)}"\n' for name in (first, second))
    faults = judged(tmp_path, output, one=one, two=two)
    assert codes(faults) == [("output-shared", Severity.ERROR)]
    assert (faults[0].file, faults[0].line, faults[0].column) == ("mappings/two/process.toml", 11, 13)


def test_a_default_folder_is_compared_too(tmp_path):
    two = SMALLEST + '[output]\ndirectory = "one"\n'
    assert codes(judged(tmp_path, one=SMALLEST, two=two)) == [("output-shared", Severity.ERROR)]


def test_folders_that_differ_only_in_case_are_one_for_windows(tmp_path):
    one, two = (f'{SMALLEST}[output]\ndirectory = "{directory}"\n' for directory in ("Labs", "labs"))
    assert codes(judged(tmp_path, one=one, two=two)) == [("output-shared", Severity.WARNING)]


def test_folders_with_a_common_beginning_are_apart(tmp_path):
    one, two = (f'{SMALLEST}[output]\ndirectory = "{directory}"\n' for directory in ("lab", "lab-reports"))
    assert judged(tmp_path, one=one, two=two) == []


def test_a_link_to_another_process_s_folder_is_seen_through(tmp_path):
    (tmp_path / "output" / "one").mkdir(parents=True)
    (tmp_path / "output" / "two").symlink_to(tmp_path / "output" / "one")
    assert codes(judged(tmp_path, tmp_path / "output", one=SMALLEST, two=SMALLEST)) == [
        ("output-shared", Severity.ERROR)
    ]


def test_the_variables_of_readable_processes_are_known(tmp_path):
    put(tmp_path, "broken", "[auth")
    put(tmp_path, "one", with_token("ONE"))
    put(tmp_path, "two", with_token("TWO", "ONE"))
    assert named_variables(tmp_path) == {"ONE", "TWO"}
