"""Documents as they are faxed and scanned: drawn here, and broken here."""

import pytest
from PIL import Image

from receiver.core.delivery import Part, Role

TYPES = {".tif": "image/tiff", ".png": "image/png", ".jpg": "image/jpeg", ".pdf": "application/pdf", ".csv": "text/csv"}


@pytest.fixture
def part(tmp_path):
    """Return a part of a file that was written, by its content or by pages that are drawn into it."""

    def make(content: bytes | list[Image.Image], suffix: str = ".tif", **options) -> Part:
        path = tmp_path / f"document{suffix}"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            first, *others = content
            more = {"save_all": True, "append_images": others} if others else {}
            first.save(path, **more, **options)
        return Part(
            *("file", path.name, TYPES[suffix], Role.DOCUMENT, suffix, path.stat().st_size, "00" * 32),
            *(tmp_path, path.name, "file"),
        )

    return make
