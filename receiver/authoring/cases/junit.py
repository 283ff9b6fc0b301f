"""JUnit XML: the results of sample cases, for build servers."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from receiver.authoring.cases.verdict import Proof, Status

ELEMENTS = {Status.CHANGED: "failure", Status.NEW: "failure", Status.ERROR: "error"}


def report(proofs: Sequence[Proof]) -> "ElementTree[Element]":
    """Return the document: a suite for each process, a test case for each case."""
    root = Element("testsuites", _counts(proofs))
    for process in dict.fromkeys(proof.case.process.name for proof in proofs):
        own = [proof for proof in proofs if proof.case.process.name == process]
        suite = SubElement(root, "testsuite", {"name": process, **_counts(own)})
        for proof in own:
            _case(suite, proof)
    indent(root)
    return ElementTree(root)


def _case(suite: Element, proof: Proof) -> None:
    names = {"classname": proof.case.process.name, "name": proof.case.name, "time": f"{proof.seconds:.3f}"}
    case = SubElement(suite, "testcase", names)
    verdict = proof.verdict
    if verdict.status in ELEMENTS:
        failure = SubElement(case, ELEMENTS[verdict.status], {"message": verdict.status, "type": verdict.status})
        failure.text = _printable("\n".join(verdict.differences))


def _counts(proofs: Sequence[Proof]) -> dict[str, str]:
    ended = [ELEMENTS.get(proof.verdict.status) for proof in proofs]
    seconds = sum(proof.seconds for proof in proofs)
    return {
        "tests": str(len(ended)),
        "failures": str(ended.count("failure")),
        "errors": str(ended.count("error")),
        "skipped": "0",
        "time": f"{seconds:.3f}",
    }


def _printable(text: str) -> str:
    """Leave out what XML 1.0 cannot carry: most control characters."""
    return "".join(
        character if character >= " " or character in "\t\n" else "\N{REPLACEMENT CHARACTER}" for character in text
    )
