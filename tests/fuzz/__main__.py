"""Feeds one reader what atheris makes up, guided by coverage: python -m tests.fuzz TARGET SECONDS FOLDER."""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["receiver", "gunicorn.http"]):
    from tests.fuzz.targets import SEEDS, feed

LARGEST = 4_000  # bytes of an input
SLOWEST = 60  # seconds for one: on a busy machine the processor may be away for ten


def main(name: str, seconds: str, folder: str) -> None:
    """Fuzz until the time is over; what breaks a reader is left in the folder as crash-… and ends with an error."""
    corpus = Path(folder) / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[name]):
        (corpus / f"seed-{number}").write_bytes(seed)
    bounds = [f"-max_total_time={seconds}", f"-max_len={LARGEST}", f"-timeout={SLOWEST}", "-print_final_stats=1"]
    atheris.Setup(
        [sys.argv[0], *bounds, f"-artifact_prefix={folder}/{name}-", str(corpus)], lambda data: feed(name, data)
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
