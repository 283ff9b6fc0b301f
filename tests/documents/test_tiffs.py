"""What a TIFF says of its pages is taken as libtiff takes it: resolution, colors, checksums, transparency."""

import math
import zlib
from types import SimpleNamespace

import pytest
from PIL import Image

from receiver.documents import libtiff, tiffs
from receiver.documents.helpers import UnreadableError


class Page(SimpleNamespace):
    """A directory of a TIFF, with the fields that are given."""

    size = 1000
    extent = ((8, 100),)
    tiled = False
    known = True
    color_profile = None

    def field(self, tag: int, missing: int = 0):
        return self.fields.get(tag, missing)

    def places(self):
        return iter(self.extent)

    def is_tiled(self):
        return self.tiled

    def is_known(self, _compression):
        return self.known

    def profile(self):
        return self.color_profile

    def require_silence(self): ...


def page(fields: dict[int, object], **more: object) -> Page:
    return Page(fields=fields, **more)


@pytest.mark.parametrize(
    ("across", "down", "unit", "dpi"),
    [
        (204.0, 196.0, 2, (204, 196)),
        (203.6, 97.5, 2, (204, 98)),
        (80.0, 40.0, tiffs.CENTIMETER, (203, 102)),
        (1.0, 2.0, tiffs.NO_UNIT, (96, 192)),  # the shape of a pixel
        (2.0, 1.0, tiffs.NO_UNIT, (96, 48)),
        (0.1, 0.2, 2, (1, 1)),
        (0.0, 196.0, 2, (96, 96)),
        (204.0, 0.0, 2, (96, 96)),
        (math.inf, 196.0, 2, (96, 96)),
        (204.0, math.inf, 2, (96, 96)),
        (math.nan, 196.0, 2, (96, 96)),
        (-1.0, 196.0, 2, (96, 96)),
        (0.5, 0.7, 2, (1, 1)),
    ],
)
def test_a_resolution_is_told_in_dots_per_inch(across, down, unit, dpi):
    fields = {libtiff.X_RESOLUTION: across, libtiff.Y_RESOLUTION: down, libtiff.UNIT: unit}
    assert tiffs._dpi(page(fields)) == dpi


@pytest.mark.parametrize(
    ("compression", "said", "taken"),
    [(4, None, 0), (3, None, 0), (2, None, 0), (5, None, 0xFFFF), (4, 1, 1), (5, 0, 0)],
)
def test_a_fax_that_does_not_say_what_0_means_has_it_white(compression, said, taken):
    fields = {libtiff.COMPRESSION: compression} | ({} if said is None else {libtiff.PHOTOMETRIC: said})
    assert tiffs._photometric(page(fields)) == taken


@pytest.mark.parametrize(
    ("mode", "profile", "taken"),
    [("L", b"GRAY", True), ("RGB", b"RGB ", True), ("RGB", b"GRAY", False), ("1", b"GRAY", False), ("L", None, False)],
)
def test_a_profile_is_taken_for_the_colors_that_it_is_of(mode, profile, taken):
    profile = profile and bytes(16) + profile + bytes(100)
    assert tiffs._profile(page({}, color_profile=profile), mode) == (profile if taken else None)


GROUP_4 = {libtiff.COMPRESSION: 4, libtiff.PHOTOMETRIC: 0}


@pytest.mark.parametrize(
    ("fields", "more", "taken"),
    [
        ({}, {}, True),
        ({libtiff.PHOTOMETRIC: 1}, {}, True),
        ({libtiff.PHOTOMETRIC: 3}, {}, False),
        ({libtiff.COMPRESSION: 3}, {}, False),
        ({}, {"tiled": True}, False),
        ({}, {"extent": ((8, 9), (17, 9))}, False),
    ],
)
def test_one_strip_of_group_4_goes_into_a_pdf_as_it_is(fields, more, taken):
    assert tiffs._is_one_strip_of_group4(page(GROUP_4 | fields, **more)) is taken


@pytest.mark.parametrize(
    ("fields", "more", "reason"),
    [
        ({libtiff.WIDTH: 20_000, libtiff.LENGTH: 20_000}, {}, ""),
        ({libtiff.WIDTH: 20_000, libtiff.LENGTH: 20_001}, {}, "a page has more than 400,000,000 pixels"),
        ({}, {"extent": ((900, 100),)}, ""),
        ({}, {"extent": ((8, 9), (901, 100))}, "it is cut off"),
        ({libtiff.COMPRESSION: 34712}, {"known": False}, "its compression is JPEG 2000, and cannot be read"),
        ({libtiff.COMPRESSION: 9}, {"known": False}, "its compression is of a kind that is not known"),
    ],
)
def test_a_page_that_cannot_be_read_says_why(fields, more, reason):
    if not reason:
        tiffs._require_readable(page(fields, **more))
    else:
        with pytest.raises(UnreadableError) as caught:
            tiffs._require_readable(page(fields, **more))
        assert caught.value.reason.startswith(reason)


def test_deflate_has_its_checksum_or_is_damaged():
    packed = zlib.compress(bytes(3_000_000))
    assert tiffs._has_its_checksum(packed)
    assert tiffs._has_its_checksum(packed + b"more")
    assert not tiffs._has_its_checksum(packed[:-1])
    assert not tiffs._has_its_checksum(packed[:-1] + bytes([packed[-1] ^ 1]))
    assert not tiffs._has_its_checksum(b"")
    assert not tiffs._has_its_checksum(b"no deflate")


@pytest.mark.parametrize(("order", "read"), [(1, b"\x01\x80"), (2, b"\x80\x01")])
def test_data_are_read_with_the_first_bit_highest(tmp_path, order, read):
    path = tmp_path / "strip"
    path.write_bytes(b"ab\x01\x80cd")
    with path.open("rb") as file:
        fields = {libtiff.FILL_ORDER: order}
        assert list(tiffs._data(page(fields, file=file.fileno(), extent=((2, 2),)))) == [read]


def test_deflate_alone_is_looked_through_for_its_checksum(tmp_path):
    path = tmp_path / "strip"
    path.write_bytes(b"no deflate")
    with path.open("rb") as file:
        for compression in (8, 32946):
            with pytest.raises(UnreadableError, match="a page is damaged"):
                tiffs._require_checksum(page({libtiff.COMPRESSION: compression}, file=file.fileno(), extent=((0, 10),)))
        tiffs._require_checksum(page({libtiff.COMPRESSION: 5}, file=file.fileno(), extent=((0, 10),)))


@pytest.mark.parametrize(
    ("alpha", "samples", "shown"),
    [
        (0, 4, [(100, 50, 0), (0, 0, 0)]),
        (1, 4, [(100, 50, 0), (255, 255, 255)]),
        (2, 4, [(100, 50, 0), (255, 255, 255)]),
        (2, 2, [(100, 50, 0), (255, 255, 255)]),
    ],
)
def test_what_can_be_seen_through_is_white(alpha, samples, shown):
    image = Image.new("RGBA", (2, 1))
    image.putdata([(100, 50, 0, 255), (0, 0, 0, 0)])
    found = tiffs._on_white(image, alpha, samples)
    assert [found.getpixel((x, 0)) for x in (0, 1)] == shown


@pytest.mark.parametrize(
    ("alpha", "samples", "shown"), [(1, 4, (228, 178, 128)), (2, 4, (228, 178, 128)), (1, 2, (228, 178, 128)),
                                    (2, 2, (177, 152, 127))],
)  # fmt: skip
def test_libtiff_has_multiplied_colors_by_alpha_but_of_gray_with_alpha(alpha, samples, shown):
    found = tiffs._on_white(Image.new("RGBA", (1, 1), (100, 50, 0, 128)), alpha, samples).getpixel((0, 0))
    assert all(abs(one - other) <= 1 for one, other in zip(found, shown, strict=True))
