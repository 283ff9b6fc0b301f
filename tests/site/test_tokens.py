"""Bearer tokens: what is looked up, what is refused, what opens the door."""

from hashlib import sha256

import pytest

from receiver.core.faults import Severity
from receiver.site.config.tokens import Tokens, read_tokens, variables
from tests.support.site_of import SMALLEST, configured

GOOD = "4f1d0c-an-invented-token"
OTHER = "9a7b3e-an-invented-token"
IN_THE_ENVIRONMENT = '["env:A_TOKEN"]'


def read(site, tokens, environ=None):
    toml = SMALLEST.replace("open = true", f"tokens = {tokens}")
    return read_tokens(configured(site, "referrals", toml), environ or {})


def test_a_token_from_the_environment_opens_the_door(tmp_path):
    tokens, faults = read(tmp_path, IN_THE_ENVIRONMENT, {"A_TOKEN": GOOD})
    assert faults == []
    assert tokens.find(GOOD) is not None
    assert tokens.find(OTHER) is None
    assert tokens.find(None) is None
    assert tokens.find("") is None


def test_two_tokens_are_good_at_once(tmp_path):
    written = f'["env:A_TOKEN", "sha256:{sha256(OTHER.encode()).hexdigest().upper()}"]'
    tokens, faults = read(tmp_path, written, {"A_TOKEN": GOOD})
    assert faults == []
    assert tokens.find(GOOD) is not None
    assert tokens.find(OTHER) is not None


def test_a_line_break_around_the_variable_s_value_is_not_part_of_the_token(tmp_path):
    assert read(tmp_path, IN_THE_ENVIRONMENT, {"A_TOKEN": f"{GOOD}\n"})[0].find(GOOD) is not None


@pytest.mark.parametrize("environ", [{}, {"A_TOKEN": ""}, {"A_TOKEN": " \n"}])
def test_a_variable_that_is_not_set_is_told_by_name(environ, tmp_path):
    tokens, [fault] = read(tmp_path, IN_THE_ENVIRONMENT, environ)
    assert str(fault).startswith("mappings/referrals/process.toml:3:11: token-missing")
    assert fault.hint == "set A_TOKEN in the environment of the service"
    assert fault.severity is Severity.ERROR
    assert tokens.find("") is None


@pytest.mark.parametrize("token", ["short", "x" * 40, "fifteen-letters"])
def test_a_token_that_is_easily_guessed_is_a_warning(token, tmp_path):
    tokens, [fault] = read(tmp_path, IN_THE_ENVIRONMENT, {"A_TOKEN": token})
    assert (fault.code, fault.severity) == ("token-weak", Severity.WARNING)
    assert token not in str(fault)
    assert tokens.find(token) is not None


@pytest.mark.parametrize("token", ["two words of one token", "schlüssel-zum-empfang", "tab\tin-the-middle-of-it"])
def test_a_token_that_no_header_carries_is_an_error(token, tmp_path):
    _, [fault] = read(tmp_path, IN_THE_ENVIRONMENT, {"A_TOKEN": token})
    assert (fault.code, fault.severity) == ("token-malformed", Severity.ERROR)
    assert token not in str(fault)


def test_the_sender_s_documented_token_is_no_error(tmp_path):
    _, faults = read(tmp_path, IN_THE_ENVIRONMENT, {"A_TOKEN": "mF_9.B5f-4.1JqM"})
    assert all(fault.severity is Severity.WARNING for fault in faults)


def test_an_open_door_admits_everybody_and_knows_nobody(tmp_path):
    tokens, faults = read_tokens(configured(tmp_path, "referrals"), {})
    assert faults == []
    assert tokens.open
    assert tokens.find(None) is None
    assert tokens.find(GOOD) is None


def test_no_tokens_admit_nobody():
    assert Tokens(()).find(GOOD) is None


def test_any_text_can_be_asked_for():
    assert Tokens((b"",)).find("\udcff\ud800\x00ÿ") is None


def test_neither_tokens_nor_digests_are_printed(tmp_path):
    tokens, _ = read(tmp_path, IN_THE_ENVIRONMENT, {"A_TOKEN": GOOD})
    assert GOOD not in repr(tokens)
    assert str(tokens.digests[0]) not in repr(tokens)


def test_every_known_token_is_compared_whichever_matches(monkeypatch):
    compared = []

    def counting(one, other):
        compared.append(other)
        return one == other

    monkeypatch.setattr("receiver.site.config.tokens.hmac.compare_digest", counting)
    digests = tuple(sha256(token).digest() for token in (GOOD.encode(), b"b", b"c"))
    assert Tokens(digests).find(GOOD) == 0
    assert compared == list(digests)


def test_the_variables_that_tokens_name_are_known(tmp_path):
    toml = SMALLEST.replace("open = true", f'tokens = ["env:A", "sha256:{"0" * 64}", "env:B"]')
    assert variables(configured(tmp_path, "referrals", toml)) == ["A", "B"]


@pytest.mark.parametrize(("length", "codes"), [(15, ["token-weak"]), (16, [])])
def test_a_token_of_sixteen_characters_is_long_enough(tmp_path, length, codes):
    _, faults = read(tmp_path, IN_THE_ENVIRONMENT, {"A_TOKEN": GOOD[:length]})
    assert [fault.code for fault in faults] == codes


@pytest.mark.parametrize(
    ("token", "code", "hint"),
    [
        ("!~" * 8, "", ""),
        ("ab" * 8, "", ""),
        (" ".join("ab" * 8), "token-malformed", "letters, digits and -._~+/= (RFC 6750 §2.1)"),
        ("\x7f" + "ab" * 8, "token-malformed", "letters, digits and -._~+/= (RFC 6750 §2.1)"),
        ("a" * 16, "token-weak", "at least 16 random characters"),
    ],
)
def test_a_token_is_judged_by_its_letters_and_length(tmp_path, token, code, hint):
    _, faults = read(tmp_path, IN_THE_ENVIRONMENT, {"A_TOKEN": token})
    assert [(fault.code, fault.hint, fault.line, fault.column) for fault in faults] == [(code, hint, 3, 11)] * bool(
        code
    )


def test_each_token_is_told_by_how_it_is_written(tmp_path):
    digest = f"sha256:{sha256(OTHER.encode()).hexdigest()}"
    tokens, faults = read(tmp_path, f'["{digest}", "env:MISSING", "env:A_TOKEN"]', {"A_TOKEN": GOOD})
    assert tokens.sources == (digest, "env:A_TOKEN")
    assert [tokens.find(each) for each in (OTHER, GOOD, "x")] == [0, 1, None]
    assert [fault.column for fault in faults] == [86]
    assert not Tokens(()).open
