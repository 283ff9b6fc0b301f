"""Inner names of libraries: each that an upgrade takes away is named here, rather than found out by a delivery."""

import importlib
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
# distribution → what is subclassed, or used although its documentation does not promise it
INNER = {
    "elementpath": ["elementpath.regex:RegexError", "elementpath.regex:translate_pattern"],
    "flask": ["flask.sessions:NullSession", "flask.sessions:SessionInterface"],
    "gunicorn": [
        "gunicorn.glogging:Logger.setup",
        "gunicorn.http.body:Body",
        "gunicorn.http.body:CHUNK_EXT_RE",
        "gunicorn.http.body:ChunkedReader",
        "gunicorn.http.body:LengthReader",
        "gunicorn.http.message:Request.set_body_reader",
        "gunicorn.http.message:Request.should_close",
        "gunicorn.http.message:Request._peer_is_trusted_proxy",
        "gunicorn.http.parser:RequestParser.finish_body",
        "gunicorn.http.wsgi:create",
        "gunicorn.http.wsgi:Response.default_headers",
        "gunicorn.workers.gthread:TConn",
        "gunicorn.workers.gthread:ThreadWorker.enqueue_req",
        "gunicorn.workers.gthread:ThreadWorker.finish_request",
        "gunicorn.workers.gthread:ThreadWorker.murder_pending",
        "gunicorn.workers.gthread:ThreadWorker.wait_for_and_dispatch_events",
        "gunicorn.workers.gthread:ThreadWorker._cap_keepalive",
    ],
    "jinja2": [
        "jinja2.lexer:TokenStream",
        "jinja2.parser:Parser",
        "jinja2.runtime:LoopContext",
        "jinja2.sandbox:ImmutableSandboxedEnvironment",
        "jinja2.utils:Namespace",
        "jinja2.utils:_PassArg",
    ],
    "jmespath": ["jmespath.functions:Functions"],
    "jsonschema-specifications": ["jsonschema_specifications:REGISTRY"],
    "prometheus-client": [
        "prometheus_client.mmap_dict:MmapedDict.read_all_values_from_file",
        "prometheus_client.mmap_dict:mmap_key",
        "prometheus_client.multiprocess:MultiProcessCollector",
        "prometheus_client.multiprocess:mark_process_dead",
        "prometheus_client.utils:floatToGoString",
    ],
    "psycopg": ["psycopg:Connection.wait", "psycopg.errors:_WaitTimeout"],
    "referencing": ["referencing._core:Resolver"],
    "tzlocal": ["tzlocal.windows_tz:win_tz"],
    "xmlschema": [
        "xmlschema.utils.etree:etree_getpath",
        "xmlschema.validators:XsdElement.identities",
        "xmlschema.validators:XsdGroup.content",
        "xmlschema.validators:XsdGroup.match_element",
        "xmlschema.validators:XsdPatternFacets",
        "xmlschema.validators:XsdSimpleType.patterns",
        "xmlschema.validators:XsdSimpleType.validators",
        "xmlschema.validators.builders:XsdBuilders",
        "xmlschema.validators.identities:XsdFieldSelector._REGEXP",
        "xmlschema.validators.identities:XsdSelector._REGEXP",
        "xmlschema.validators.simple_types:XsdAtomicBuiltin.post_decode",
        "xmlschema.validators.simple_types:XsdAtomicBuiltin.to_python",
    ],
}


def requirements() -> dict[str, Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = [*project["dependencies"], *(each for extra in project["optional-dependencies"].values() for each in extra)]
    return {requirement.name.lower(): requirement for requirement in map(Requirement, found)}


@pytest.mark.parametrize("place", [place for places in INNER.values() for place in places])
def test_an_inner_name_is_still_there(place):
    module, _, path = place.partition(":")
    found = importlib.import_module(module)
    for name in path.split("."):
        assert hasattr(found, name), f"{place}: the installed release has it no more; see where it is used"
        found = getattr(found, name)


@pytest.mark.parametrize("distribution", INNER)
def test_what_is_used_by_an_inner_name_has_an_upper_bound(distribution):
    requirement = requirements()[distribution]
    assert any(each.operator == "<" for each in requirement.specifier), f"{requirement} needs an upper bound"
    assert requirement.specifier.contains(version(distribution))


LOCKS = {name: (ROOT / name).read_text() for name in ("requirements.lock", "requirements-test.lock")}


def pinned(lock: str) -> set[str]:
    return {plain(name) for name in re.findall(r"^([\w.-]+)==", LOCKS[lock], re.MULTILINE)}


def plain(name: str) -> str:
    """Return a name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted(*extras: str) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    texts = [*project["dependencies"], *(each for extra in extras for each in project["optional-dependencies"][extra])]
    return {plain(Requirement(text).name) for text in texts}


def test_what_the_service_needs_is_locked_without_what_only_tests_need():
    assert wanted("hl7", "fhir", "pdf") <= pinned("requirements.lock")
    assert wanted("test") <= pinned("requirements.lock") | pinned("requirements-test.lock")
    assert not pinned("requirements.lock") & pinned("requirements-test.lock")
    assert not pinned("requirements.lock") & {"pytest", "ruff", "mypy", "hypothesis", "coverage"}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_file_is_locked_by_its_digest_and_no_index_is_named(lock):
    entries = re.split(r"\n(?=\S)", LOCKS[lock].strip())
    assert [entry for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}", entry)] == []
    assert "://" not in LOCKS[lock]
