"""Prints what is installed beside this program, with version and licence: one line each, for whoever must know.

python deploy/licenses.py
"""

from importlib.metadata import Distribution, distribution, distributions

from packaging.requirements import Requirement

LONGEST = 60  # characters: some put the whole text of their licence there


def licence(found: Distribution) -> str:
    """Return the licence as the distribution tells it: as SPDX has it, or else by its classifier."""
    told = found.metadata.get("License-Expression") or ""
    classifiers = [each for each in found.metadata.get_all("Classifier") or () if each.startswith("License ::")]
    words = (
        told or " / ".join(each.rpartition(" :: ")[2] for each in classifiers) or found.metadata.get("License") or ""
    )
    return words.strip().partition("\n")[0][:LONGEST] or "not told"


def needed(name: str, seen: set[str]) -> set[str]:
    """Add to `seen` everything that a distribution needs to run, without its extras; returns it."""
    for text in distribution(name).requires or ():
        wanted = Requirement(text)
        plain = wanted.name.lower().replace("_", "-")
        if plain not in seen and (wanted.marker is None or wanted.marker.evaluate({"extra": ""})):
            seen.add(plain)
            needed(plain, seen)
    return seen


def main() -> None:
    """Print the list; what only tests, checks and extras need is marked."""
    runs = needed("receiver", {"receiver"})
    rows = {
        (each.metadata["Name"], each.version, licence(each), "" if _plain(each) in runs else "(tests, extras)")
        for each in distributions()
    }
    width = max(len(name) for name, *_ in rows)
    for name, version, words, mark in sorted(rows, key=lambda row: row[0].lower()):
        print(f"{name:{width}}  {version:12}  {words} {mark}".rstrip())  # noqa: T201 (what it is for)


def _plain(found: Distribution) -> str:
    return str(found.metadata["Name"]).lower().replace("_", "-")


if __name__ == "__main__":
    main()
