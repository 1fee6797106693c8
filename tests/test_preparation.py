"""Drawings and photographs come out as MNIST would have them, whatever their place, size, light and file format."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from autoencoder.images import to_uint8, to_unit_interval
from autoencoder.preparation import CANVAS, PEN, from_picture, from_strokes
from autoencoder.uploads import PictureError, read_grey
from scripts.photographs import SETTINGS, naively_resized, photograph
from tests.pictures import encoded

TURN = np.linspace(0, 2 * np.pi, 60)
DIGITS = {
    "zero": [np.stack([140 + 60 * np.sin(TURN), 140 - 90 * np.cos(TURN)], 1).ravel().tolist()],
    "two": [[80, 90, 110, 50, 160, 50, 190, 90, 170, 140, 80, 220, 200, 220]],
    "four": [[110, 60, 70, 160, 200, 160], [160, 90, 160, 230]],
    "five": [[90, 60, 85, 130, 150, 130, 190, 170, 150, 220, 80, 210], [90, 60, 190, 60]],
}


def drawn(name: str) -> np.ndarray:
    image = from_strokes(DIGITS[name])
    assert image is not None
    return image


def center_of_mass(image: np.ndarray) -> list[float]:
    return [float((image * index).sum() / image.sum()) for index in np.indices(image.shape)]


def extent(image: np.ndarray) -> list[int]:
    return [int(np.ptp(np.flatnonzero((image > 0.5).any(axis)))) + 1 for axis in (1, 0)]


def distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.mean((a - b) ** 2))


@pytest.mark.parametrize("width", [1, 2, 4, 8, 15])
def test_the_thinnest_pen_loses_no_part_of_a_digit(width):
    picture = Image.new("L", (1000, 1000), 255)
    ImageDraw.Draw(picture).line([(300, 80), (720, 80), (420, 920)], fill=0, width=width)
    assert extent(from_picture(read_grey(encoded(picture)))) == [20, 10]
    line = Image.new("L", (1000, 1000), 255)
    ImageDraw.Draw(line).line([(500, 100), (500, 900)], fill=0, width=width)
    assert extent(from_picture(read_grey(encoded(line))))[0] in (19, 20)


def sheet(
    digit: np.ndarray, side: int = 140, left: int = 60, top: int = 40, paper: int = 230, ink: int = 60
) -> Image.Image:
    """A digit written on a clean sheet of 320x240."""
    covered = np.zeros((240, 320))
    large = Image.fromarray(to_uint8(digit)).resize((side, side), Image.Resampling.BICUBIC)
    covered[top : top + side, left : left + side] = np.asarray(large) / 255
    return Image.fromarray(np.rint(paper + (ink - paper) * covered).astype(np.uint8))


def from_file(content: bytes) -> np.ndarray:
    return from_picture(read_grey(content))


@pytest.mark.parametrize("strokes", [[], [[]], [[3.0]]])
def test_nothing_drawn_is_none(strokes):
    assert from_strokes(strokes) is None


@pytest.mark.parametrize("name", DIGITS)
def test_a_drawing_has_mnists_size_and_place(name):
    image = drawn(name)
    assert image.dtype == np.float32
    assert image.shape == (28, 28)
    assert image.min() == 0
    assert image.max() == 1
    assert max(extent(image)) in (19, 20, 21)
    np.testing.assert_allclose(center_of_mass(image), [14, 14], atol=0.4)


def test_a_drawing_may_be_anywhere_and_of_any_size():
    for scale, shift in ((0.5, 100), (1.3, -20)):
        moved = [[scale * value + shift for value in stroke] for stroke in DIGITS["four"]]
        assert distance(from_strokes(moved), drawn("four")) < 1e-4


def test_the_pen_has_mnists_width():
    upright = from_strokes([[140, 20, 140, 260]])
    assert upright is not None
    np.testing.assert_allclose(upright[14].sum(), PEN, atol=0.05)
    np.testing.assert_allclose(upright[:, 14].sum(), 20, atol=0.5)


@pytest.mark.parametrize("dot", [[[30, 200]], [[30, 200, 30, 200]], [[30, 200], [30, 200]]])
def test_a_dot_stays_a_dot(dot):
    image = from_strokes(dot)
    assert image is not None
    np.testing.assert_allclose(image.sum(), np.pi / 4 * PEN**2, rtol=0.1)
    np.testing.assert_allclose(center_of_mass(image), [14, 14], atol=0.02)


def test_a_small_drawing_stays_smaller_than_a_digit():
    assert max(extent(from_strokes([[10, 10, 10 + CANVAS / 14, 10]]))) < 14


@pytest.mark.parametrize("name", DIGITS)
def test_what_has_mnists_form_stays_as_it_is(name):
    levels = to_uint8(drawn(name))
    np.testing.assert_array_equal(from_file(encoded(Image.fromarray(levels))), to_unit_interval(levels))
    np.testing.assert_allclose(from_file(encoded(Image.fromarray(255 - levels))), to_unit_interval(levels), atol=1e-6)
    compressed = encoded(Image.fromarray(levels), "JPEG", quality=90)
    assert distance(from_file(compressed), to_unit_interval(levels)) < 1e-3


@pytest.mark.parametrize("name", DIGITS)
def test_mnists_form_enlarged_comes_back(name):
    image = drawn(name)
    for filter in (Image.Resampling.NEAREST, Image.Resampling.BICUBIC):
        large = Image.fromarray(to_uint8(image)).resize((280, 280), filter)
        assert distance(from_file(encoded(large)), image) < 0.002


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_photograph_comes_back_near_the_original(setting):
    limit = 0.03 if SETTINGS[setting].pen != (0, 0) else 0.02  # another pen is not quite undone
    for index, name in enumerate(DIGITS):
        photo = photograph(to_uint8(drawn(name)), SETTINGS[setting], np.random.default_rng(index))
        image = from_file(photo)
        assert distance(image, drawn(name)) < min(limit, distance(naively_resized(photo), drawn(name)) / 3)
        assert image.dtype == np.float32
        assert image.min() >= 0
        assert image.max() <= 1
        np.testing.assert_allclose(center_of_mass(image), [14, 14], atol=0.4)


@pytest.mark.parametrize(
    "place",
    [
        {"left": 170, "top": 95},
        {"side": 70},
        {"side": 235, "left": 80, "top": 2},
        {"paper": 20, "ink": 220},
        {"paper": 130, "ink": 10},
        {"paper": 100, "ink": 160},
    ],
)
def test_place_size_and_polarity_do_not_matter(place):
    expected = from_file(encoded(sheet(drawn("four"))))
    assert distance(from_file(encoded(sheet(drawn("four"), **place))), expected) < 0.002


def sixteen_bits(image: Image.Image) -> bytes:
    return encoded(Image.fromarray(np.asarray(image).astype(np.uint16) * 257))


def with_alpha(image: Image.Image, ink: int) -> bytes:
    """Ink of one colour on nothing."""
    opacity = to_uint8((230 - np.asarray(image).astype(float)) / 170)
    return encoded(Image.merge("LA", [Image.new("L", image.size, ink), Image.fromarray(opacity)]))


def with_clear_corner(image: Image.Image) -> bytes:
    opacity = Image.new("L", image.size, 255)
    opacity.paste(0, (0, 0, 50, 30))
    return encoded(Image.merge("LA", [image, opacity]))


def turned(image: Image.Image) -> bytes:
    """Lying on its side, with the note in the file that says so."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(image.transpose(Image.Transpose.ROTATE_90), "JPEG", quality=95, exif=exif)


FILES = {
    "16 bits": sixteen_bits,
    "RGB": lambda image: encoded(image.convert("RGB")),
    "CMYK": lambda image: encoded(image.convert("CMYK"), "JPEG", quality=95),
    "palette": lambda image: encoded(image.convert("P")),
    "two colours": lambda image: encoded(image.convert("1", dither=Image.Dither.NONE)),
    "dark on nothing": lambda image: with_alpha(image, 0),
    "bright on nothing": lambda image: with_alpha(image, 255),
    "nothing at a corner": with_clear_corner,
    "turned": turned,
    "WebP": lambda image: encoded(image, "WEBP", quality=90),
    "BMP": lambda image: encoded(image, "BMP"),
    "with previews": lambda image: encoded(image, "MPO", save_all=True, append_images=[image.resize((32, 24))]),
}


@pytest.mark.parametrize("kind", FILES)
def test_the_kind_of_file_does_not_matter(kind):
    image = sheet(drawn("two"))
    assert distance(from_file(FILES[kind](image)), from_file(encoded(image))) < 0.006


@pytest.mark.parametrize(
    "paper",
    [
        np.full((240, 320), 255.0),
        np.zeros((240, 320)),
        np.random.default_rng(0).normal(200, 12, (240, 320)),
        np.linspace(90, 230, 320) + np.random.default_rng(1).normal(0, 5, (240, 320)),
        np.where(np.hypot(*(np.indices((240, 320)) - 100)) < 3, 40.0, 220.0),
        np.full((28, 28), 200.0),
    ],
    ids=["white", "black", "noise", "shading", "one speck", "28x28"],
)
def test_an_empty_sheet_is_said_to_be_empty(paper):
    with pytest.raises(PictureError, match=r"^There is no digit to be seen in this picture\.$"):
        from_file(encoded(Image.fromarray(np.clip(paper, 0, 255).astype(np.uint8))))


def test_the_next_line_and_the_table_are_left_out():
    image = np.asarray(sheet(drawn("five"))).copy()
    expected = from_file(encoded(Image.fromarray(image)))
    image[:, :12] = 30
    image[232:, 100:140] = 60
    assert distance(from_file(encoded(Image.fromarray(image))), expected) < 0.002


def test_a_digit_that_almost_fills_its_picture_stays_whole():
    image = np.asarray(sheet(drawn("two")))
    rows, columns = (np.flatnonzero((image < 150).any(axis)) for axis in (1, 0))
    cut = image[rows[0] - 3 : rows[-1] + 4, columns[0] - 3 : columns[-1] + 4]
    assert distance(from_file(encoded(Image.fromarray(cut))), from_file(encoded(Image.fromarray(image)))) < 0.01


def usual(image: np.ndarray) -> bool:
    """Of MNIST's size, with ink."""
    return image.max() > 0.9 and max(extent(image)) in range(18, 23)


@pytest.mark.parametrize("size", [(400, 300), (1600, 1200), (3000, 4000), (300, 60)])
@pytest.mark.parametrize("pen", [1, 2, 3, 5, 8, 20])
def test_any_pen_gives_a_digit_or_is_said_not_to_be_seen(size, pen):
    photo = Image.new("L", size, 225)
    left, top, right, bottom = (round(share * min(size)) for share in (0.25, 0.1, 0.75, 0.9))
    ImageDraw.Draw(photo).line([(left, top), (right, top), (left, bottom)], fill=50, width=pen)
    content = encoded(photo, "JPEG", quality=88)
    try:
        assert usual(from_file(content))
    except PictureError as error:
        finer_than_a_camera_resolves = pen < max(size) / 800
        if not finer_than_a_camera_resolves or "no digit to be seen" not in str(error):
            raise


@pytest.mark.parametrize("seed", range(25))
def test_dust_and_noise_are_no_digit(seed):
    generator = np.random.default_rng(seed)
    y, x = np.indices((300, 400))
    dusty = np.full((300, 400), 220.0)
    for _ in range(1 + seed % 10):
        dusty[np.hypot(y - generator.uniform(0, 300), x - generator.uniform(0, 400)) < generator.uniform(1, 4)] = 60
    slope = generator.uniform(0, 0.2) * x + generator.uniform(0, 0.2) * y
    noisy = generator.uniform(100, 200) + slope + generator.normal(0, generator.uniform(1, 15), slope.shape)
    for sheet in (dusty, noisy):
        with pytest.raises(PictureError, match="no digit to be seen"):
            from_file(encoded(Image.fromarray(np.clip(sheet, 0, 255).astype(np.uint8)), "JPEG"))


@pytest.mark.parametrize("ink", [100, 150, 190])
def test_a_faint_digit_on_a_square_is_made_as_bright_as_others(ink):
    square = np.full((280, 280), 255, np.uint8)
    square[50:230, 130:150] = ink
    assert usual(from_file(encoded(Image.fromarray(square))))


def test_places_that_are_no_numbers_are_passed_over():
    broken = [[None, 3.0, *DIGITS["four"][0]], [float("nan"), float("inf")], DIGITS["four"][1]]
    np.testing.assert_array_equal(from_strokes(broken), drawn("four"))
