"""What `make fuzz-parsers` has found is read for good, and so is what it starts with."""

import pytest

from .targets import SEEDS, TARGETS, feed

FOUND: dict[str, tuple[bytes, ...]] = {
    "json": (b'{"alue": -1.5e-1510.0\x18, "x"^:3, "x": "\\ud83d\\ud20e0}, true]}',),  # no number, then no string
    "records": (b"\x03MSH|^~\\&\x1d|\rOBX|1|NM|-).5\r",),  # hl7apy looks for a twelfth field
}


@pytest.mark.parametrize("name", TARGETS)
def test_a_reader_refuses_or_reads(name):
    for data in (b"", *SEEDS[name], *FOUND.get(name, ())):
        for end in range(len(data) + 1):
            feed(name, data[:end])
