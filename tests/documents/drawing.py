"""Pages full of noise, in which every pixel counts."""

import random

from PIL import Image


def drawn(mode: str, seed: int = 1, size: tuple[int, int] = (400, 300)) -> Image.Image:
    """Return a page of noise."""
    noise = random.Random(seed).randbytes(size[0] * size[1] * 4)
    if mode == "1":
        return Image.frombytes("L", size, noise[: size[0] * size[1]]).point(lambda gray: 255 * (gray > 128), "1")
    return Image.frombytes("CMYK", size, noise).convert(mode) if mode != "CMYK" else Image.frombytes(mode, size, noise)
