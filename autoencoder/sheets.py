"""Pictures for people to read: colours, signed differences, and labelled rows of images.

Apart from images.py, which training imports, so that a new colour or font retrains nothing. Numpy and PIL only.
"""

import io
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from autoencoder.images import image_grid

TOO_DARK = np.array([33, 102, 172], np.float64)  # the two ends of ColorBrewer's RdBu: safe for colour-blind eyes
TOO_BRIGHT = np.array([178, 24, 43], np.float64)
# ten colours that are told apart on white, also by most colour-blind eyes (Petroff 2021)
DIGIT_COLOURS = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip
FONT_SIZE = 15
CAPTION_SIZE = 13
CAPTION_HEIGHT = 18
MARGIN = 8
GREY_LEVELS, COLOURS = 16, 128


def difference_image(
    images: Float[np.ndarray, "*n h w"], reconstructions: Float[np.ndarray, "*n h w"], limit: float = 1.0
) -> UInt8[np.ndarray, "*n h w 3"]:
    """Reconstruction minus image in colour: white where equal, red where too bright, blue where too dark.

    Args:
        images: intensities in [0, 1].
        reconstructions: intensities in [0, 1].
        limit: the difference that gets the full colour; keep it the same for pictures that are compared.

    Raises:
        ValueError: `limit` is not positive.
    """
    if limit <= 0:
        raise ValueError(f"limit = {limit}: expected a positive difference")
    difference = np.clip((reconstructions.astype(np.float64) - images) / limit, -1, 1)[..., None]
    end = np.where(difference > 0, TOO_BRIGHT, TOO_DARK)
    return np.rint(255 + np.abs(difference) * (end - 255)).astype(np.uint8)


def labelled_rows(
    rows: Mapping[str, np.ndarray],
    scale: int = 2,
    gap: int = 4,
    columns: int | None = None,
    title: str = "",
    captions: Mapping[str, Sequence[str]] | None = None,
) -> UInt8[np.ndarray, "height width"] | UInt8[np.ndarray, "height width 3"]:
    """One row of images per entry, or several, its name at the left: the sheets of reports and README.

    Args:
        rows: name -> images as `image_grid` takes them; rows may differ in length and mix grey with colour.
        scale: as in `image_grid`.
        gap: pixels between images, after scaling.
        columns: images per row; all of an entry's images where it is None.
        title: one line above all rows.
        captions: name -> a word under each image of that row, which then is one line.

    Returns:
        Black text on white; RGB where any row is, otherwise grey.

    Raises:
        ValueError: there is no row, or a row has no image.
    """
    if not rows:
        raise ValueError("no rows to draw")
    strips = {
        name: image_grid(images, columns=columns or len(images), gap=gap, scale=scale) for name, images in rows.items()
    }
    colour = any(strip.ndim == 3 for strip in strips.values())
    font, small = ImageFont.load_default(FONT_SIZE), ImageFont.load_default(CAPTION_SIZE)
    label_width = 2 * MARGIN + max(round(font.getlength(name)) for name in rows)
    width = max(label_width + max(strip.shape[1] for strip in strips.values()), round(font.getlength(title))) + MARGIN
    spacing = gap if columns is None else 3 * gap  # several lines of one entry stay together
    below = CAPTION_HEIGHT if captions else 0
    top = MARGIN + (FONT_SIZE + MARGIN if title else 0)
    height = top + sum(strip.shape[0] + below for strip in strips.values()) + spacing * (len(rows) - 1) + MARGIN
    sheet = Image.new("RGB" if colour else "L", (width, height), "white")
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, MARGIN), title, fill="black", font=font)
    for name, strip in strips.items():
        draw.text((MARGIN, top + strip.shape[0] / 2), name, fill="black", font=font, anchor="lm")
        sheet.paste(Image.fromarray(strip), (label_width, top))
        top += strip.shape[0]
        for index, caption in enumerate(captions[name] if captions else ()):
            pitch = (strip.shape[1] + gap) / len(rows[name])
            place = (label_width + (index + 0.5) * pitch - gap / 2, top + below / 2)
            draw.text(place, caption, fill="black", font=small, anchor="mm")
        top += below + spacing
    return np.asarray(sheet)


def encode_sheet(pixels: UInt8[np.ndarray, "height width"] | UInt8[np.ndarray, "height width 3"]) -> bytes:
    """The sheet as a PNG of few colours, half as large as with all: git keeps these of every run."""
    colours = GREY_LEVELS if pixels.ndim == 2 else COLOURS
    buffer = io.BytesIO()
    Image.fromarray(pixels).quantize(colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        buffer, "PNG", optimize=True
    )
    return buffer.getvalue()
