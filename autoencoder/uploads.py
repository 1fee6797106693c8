"""An uploaded file as grey levels, or one clear sentence about why it is no picture that one can use."""

import io

import numpy as np
from jaxtyping import Float32
from PIL import Image, ImageOps

from autoencoder.images import to_unit_interval

FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
ALLOWED = "PNG, JPEG, WebP or BMP"
SUFFIXES = ("png", "jpg", "jpeg", "webp", "bmp")
MAX_BYTES = 20 * 2**20
MAX_PIXELS = 32_000_000  # above what phones take; a small file may claim to unpack to far more
MIN_SIDE = 8
LARGEST_SIDE = 1024  # of what is kept, at least: a digit is looked for in far fewer pixels


class PictureError(ValueError):
    """This upload shows no digit that could be prepared; the message is for the person who chose it."""


def read_grey(content: bytes) -> Float32[np.ndarray, "height width"]:
    """The picture upright and in grey, 0 black and 1 white; what is transparent becomes paper.

    A picture with a side of more than twice `LARGEST_SIDE` is shrunk by a whole factor.

    Raises:
        PictureError: the file is too large, no picture of an allowed format, animated, damaged, or tiny.
    """
    if len(content) > MAX_BYTES:
        raise PictureError(
            f"The file has {len(content) / 2**20:.1f} MB; at most {MAX_BYTES // 2**20} MB can be uploaded."
        )
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError(_too_many_pixels()) from None
    except Exception:  # each format's parser has errors of its own
        raise PictureError(f"This is no picture that can be read here. Choose a {ALLOWED} file.") from None
    with image:
        _check(image)
        try:
            return _grey(image)
        except Exception:
            raise PictureError("The picture is damaged or cut off, it cannot be read to its end.") from None


def _check(image: Image.Image) -> None:
    """What the header alone tells, before anything is unpacked."""
    if image.width * image.height > MAX_PIXELS:
        raise PictureError(_too_many_pixels(f" has {image.width:,} x {image.height:,} pixels,"))
    if min(image.size) < MIN_SIDE:
        raise PictureError(
            f"The picture has {image.width} x {image.height} pixels; it needs {MIN_SIDE} x {MIN_SIDE} at least."
        )
    if getattr(image, "is_animated", False) and image.format != "MPO":  # a phone's JPEG with previews in it is MPO
        raise PictureError("The picture is animated; choose one that stands still.")


def _too_many_pixels(has: str = " has") -> str:
    return f"The picture{has} more than the {MAX_PIXELS // 1_000_000} million pixels that can be read here."


def _grey(image: Image.Image) -> Float32[np.ndarray, "height width"]:
    image.draft(None, (LARGEST_SIDE, LARGEST_SIDE))  # a JPEG need not be unpacked in full
    if image.mode.startswith("I"):  # 16 bits a pixel; Pillow's own conversion would clip them at 255
        deep = np.asarray(ImageOps.exif_transpose(image)).astype(np.float32) / np.float32(65535)
        return np.asarray(_shrunk(Image.fromarray(deep)))
    transparent = image.has_transparency_data
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        image = image.convert("RGBA" if transparent else "RGB")
    image = ImageOps.exif_transpose(_shrunk(image))
    if not transparent:
        return to_unit_interval(np.asarray(image.convert("L")))
    grey, opacity = (to_unit_interval(np.asarray(band)) for band in image.convert("RGBA").convert("LA").split())
    visible = opacity > 0.5
    shade = np.median(grey[visible]) if visible.any() else np.float32(1)
    ink_alone = visible.mean() < 0.5
    paper = np.float32(shade < 0.5) if ink_alone else shade
    return grey * opacity + paper * (1 - opacity)


def _shrunk(image: Image.Image) -> Image.Image:
    """Smaller by the whole factor that leaves its longer side at least `LARGEST_SIDE`."""
    factor = max(image.size) // LARGEST_SIDE
    return image.reduce(factor) if factor > 1 else image
