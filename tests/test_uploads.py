"""An upload becomes grey levels or one clear sentence."""

import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image, ImageDraw

from autoencoder.preparation import from_picture
from autoencoder.uploads import MAX_BYTES, PictureError, read_grey
from tests.pictures import encoded

LEVELS = np.random.default_rng(0).integers(0, 256, (24, 40), dtype=np.uint8)
FRAMES = [Image.fromarray(LEVELS), Image.fromarray(255 - LEVELS)]


def claiming(width: int, height: int) -> bytes:
    """A small PNG file that says it unpacks to so many pixels."""
    content = bytearray(encoded(FRAMES[0]))
    content[16:24] = struct.pack(">II", width, height)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    return bytes(content)


@pytest.mark.parametrize("format", ["PNG", "BMP"])
def test_grey_levels_are_kept(format):
    grey = read_grey(encoded(FRAMES[0], format))
    assert grey.dtype == np.float32
    np.testing.assert_array_equal(grey, LEVELS / np.float32(255))


def test_sixteen_bits_are_scaled_not_clipped():
    deep = LEVELS.astype(np.uint16) * 257 // 2
    np.testing.assert_allclose(read_grey(encoded(Image.fromarray(deep))), deep / 65535, atol=1e-7)


def test_a_turned_photograph_is_put_upright():
    exif = Image.Exif()
    exif[0x0112] = 8  # turn by 90 degrees
    grey = read_grey(encoded(FRAMES[0], exif=exif))
    np.testing.assert_array_equal(grey, np.rot90(LEVELS) / np.float32(255))


@pytest.mark.parametrize(("ink", "paper"), [(0, 1), (255, 0)])
def test_ink_alone_gets_a_paper_of_the_other_shade(ink, paper):
    opacity = np.zeros((20, 20), np.uint8)
    opacity[5:15, 8:12] = 255
    image = Image.merge("LA", [Image.new("L", (20, 20), ink), Image.fromarray(opacity)])
    grey = read_grey(encoded(image))
    assert np.unique(grey[opacity == 0]).tolist() == [paper]
    assert np.unique(grey[opacity == 255]).tolist() == [1 - paper]


BAD = {
    "nothing": (b"", "no picture that can be read here. Choose a PNG, JPEG, WebP or BMP file"),
    "text": (b"seven", "Choose a PNG, JPEG, WebP or BMP file"),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M1 1L9 9"/></svg>', "Choose a PNG, JPEG, WebP or BMP"),
    "GIF": (encoded(FRAMES[0], "GIF"), "Choose a PNG, JPEG, WebP or BMP file"),
    "TIFF": (encoded(FRAMES[0], "TIFF"), "Choose a PNG, JPEG, WebP or BMP file"),
    "too many bytes": (bytes(MAX_BYTES + 2**20), r"The file has 21\.0 MB; at most 20 MB"),
    "64 million pixels": (claiming(8000, 8000), "has 8,000 x 8,000 pixels, more than the 32 million"),
    "100 million pixels": (claiming(10_000, 10_000), "more than the 32 million pixels"),
    "a bomb": (claiming(60_000, 60_000), "more than the 32 million pixels"),
    "one pixel": (encoded(Image.new("L", (1, 1))), "has 1 x 1 pixels; it needs 8 x 8 at least"),
    "a line": (encoded(Image.new("L", (300, 7))), "has 300 x 7 pixels; it needs 8 x 8"),
    "an animated PNG": (encoded(FRAMES[0], save_all=True, append_images=FRAMES[1:]), "animated"),
    "an animated WebP": (encoded(FRAMES[0], "WEBP", save_all=True, append_images=FRAMES[1:]), "animated"),
    "half a PNG": (encoded(FRAMES[0])[:500], "damaged or cut off"),
    "half a JPEG": (encoded(FRAMES[0], "JPEG")[:-400], "damaged or cut off"),
    "half a WebP": (encoded(FRAMES[0], "WEBP", lossless=True)[:500], "damaged or cut off|no picture"),
    "half a BMP": (encoded(FRAMES[0], "BMP")[:-400], "damaged or cut off"),
    "a PNG with a hole": (encoded(FRAMES[0])[:300] + bytes(99) + encoded(FRAMES[0])[399:], "damaged or cut off"),
}


@pytest.mark.parametrize("kind", BAD)
def test_every_bad_upload_gets_its_sentence(kind):
    content, message = BAD[kind]
    with pytest.raises(PictureError, match=message) as raised:
        read_grey(content)
    assert str(raised.value).endswith(".")
    assert "\n" not in str(raised.value)


def test_whatever_the_picture_it_is_prepared_or_refused():
    generator = np.random.default_rng(0)
    for _ in range(60):
        width, height = (int(side) for side in np.exp(generator.uniform(np.log(8), np.log(1200), 2)))
        picture = Image.new("L", (width, height), int(generator.integers(256)))
        draw = ImageDraw.Draw(picture)
        for _ in range(generator.integers(1, 4)):
            ends = generator.integers(0, [width, height] * 2).tolist()
            draw.line(ends, fill=int(generator.integers(256)), width=int(generator.integers(1, 9)))
        content = bytearray(encoded(picture))
        if generator.random() < 0.3:
            content[generator.integers(2, len(content))] = generator.integers(256)
        try:
            image = from_picture(read_grey(bytes(content)))
        except PictureError:
            continue
        assert image.shape == (28, 28)
        assert 0 <= image.min() <= image.max() <= 1


def test_a_large_picture_is_shrunk_before_it_takes_much_memory():
    large = encoded(Image.new("RGBA", (8000, 4000), (30, 60, 90, 255)))
    limit = """
import resource, sys
from autoencoder.uploads import read_grey
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
grey = read_grey(sys.stdin.buffer.read())
print(grey.shape, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    process = subprocess.run([sys.executable, "-c", limit], input=large, capture_output=True, check=True)
    shape, _, megabytes = process.stdout.decode().rpartition(" ")
    assert shape == "(572, 1143)"
    assert int(megabytes) < 400
