"""How a walk is drawn: a moving picture, a strip, and below it a ribbon of what the classifier reads on the way."""

import layout
import numpy as np
from jaxtyping import Float32, UInt8

from autoencoder.images import image_grid
from autoencoder.reader import Reading
from autoencoder.sheets import labelled_rows
from autoencoder.walks import encode_gif, flips

ROOM = (860, 560)  # what strips may take at 1440x900 beside the sidebar, the names and the moving pictures
REST = 400  # milliseconds
LEGIBLE = 1.5  # per cent of a strip: narrower runs of one reading would write over each other
Frames = Float32[np.ndarray, "n 28 28"]


def arrangement(legs: int, steps: int, models: int) -> tuple[int, int]:
    """Pixel scale, and which share of a walk's frames strips show (one of so many), so that all fit the room."""
    scale = 3 if models * (4 * 28 + 16) <= ROOM[1] else 2
    shares = (every for every in range(1, steps + 1) if steps % every == 0)
    return scale, next(every for every in shares if (legs * steps // every + 1) * 28 * scale <= ROOM[0])


def stops_above(pixels: UInt8[np.ndarray, "stops 28 28"], captions: list[str], apart: int, scale: int) -> str:
    """The test images, each above its place in strips that show one of `apart` pictures on the way to the next."""
    figures = "".join(
        f'<figure style="left: {index * apart * 28 * scale}px">'
        f"{layout.picture(image, f'test image: {caption}', scale)}<small>{caption}</small></figure>"
        for index, (image, caption) in enumerate(zip(pixels, captions, strict=True))
    )
    width = ((len(pixels) - 1) * apart + 1) * 28 * scale
    return f'<div class="stops" style="width: {width}px; height: {28 * scale + 20}px">{figures}</div>'


def strip(name: str, frames: Frames, reading: Reading | None, every: int, scale: int) -> str:
    """The moving picture, and the strip over its ribbon, where a line goes along in step with the picture."""
    shown = frames[::every]
    film = layout.picture(image_grid(frames, len(frames), 0), f"{name}: the walk, moving", scale + 1)
    still = layout.picture(image_grid(shown, len(shown), 0), f"{name}: the walk, picture by picture", scale)
    below = f'<div class="ribbon">{ribbon(reading, every)}</div>' if reading is not None else ""
    return f'<td><div class="film">{film}</div></td><td><div class="way">{still}{below}<i class="now"></i></div></td>'


def animation(walks: dict[str, Frames], readings: dict[str, Reading], milliseconds: int, steps: int) -> bytes:
    """All walks in one GIF; under each picture what the classifier reads, with a question mark where in doubt.

    Every frame takes so many milliseconds, and those at a stop, `steps` apart, a rest on top.
    """
    count = len(next(iter(walks.values())))
    words = {name: reading.words for name, reading in readings.items()}
    sheets = [
        labelled_rows(
            {name: frames[[index]] for name, frames in walks.items()},
            scale=4,
            captions={name: [labels[index]] for name, labels in words.items()},
        )
        for index in range(count)
    ]
    return encode_gif(np.stack(sheets), [milliseconds + REST * (index % steps == 0) for index in range(count)])


def ribbon(reading: Reading, every: int) -> str:
    """A box as high as the classifier is sure, with the digit it reads, cut where that flips.

    As wide as a strip that shows each `every`-th frame of those that were read.
    """
    count = len(reading.label)
    shown = (count - 1) // every + 1
    middles = 100 * (0.5 + np.arange(count) / every) / shown
    edges = np.concatenate([[0], (middles[1:] + middles[:-1]) / 2, [100]])
    runs, lines = [], []
    for first, end in spans(reading.label):
        confidence = reading.confidence[first:end]
        digit = int(reading.label[first])
        title = f"{digit} in {end - first} of {count} frames, {confidence.min():.0%} to {confidence.max():.0%} sure"
        width = edges[end] - edges[first]
        place = f"left: {edges[first]:.2f}%; width: {width:.2f}%"
        runs.append(f'<span style="{place}" title="{title}">{digit if width >= LEGIBLE else ""}</span>')
        lines.append(f'<i class="flip" style="left: {edges[first]:.2f}%"></i>' if first else "")
    return f'<div class="area" style="{area(reading, middles, edges)}"></div>{"".join(runs)}{"".join(lines)}'


def area(reading: Reading, middles: np.ndarray, edges: np.ndarray) -> str:
    """Style of a box cut to the curve of confidence, coloured where the reading is accepted."""
    heights = 100 * (1 - reading.confidence)
    curve = zip([0, *middles, 100], [heights[0], *heights, heights[-1]], strict=True)
    corners = ", ".join(f"{x:.2f}% {y:.1f}%" for x, y in curve)
    stops = ", ".join(
        f"var(--{'sure' if reading.accepted[first] else 'doubt'}) {edges[first]:.2f}% {edges[end]:.2f}%"
        for first, end in spans(reading.accepted)
    )
    return f"clip-path: polygon(0% 100%, {corners}, 100% 100%); background: linear-gradient(90deg, {stops})"


def spans(values: np.ndarray) -> list[tuple[int, int]]:
    """First and one past the last of every run of equal values."""
    changes = flips(values).tolist()
    return list(zip([0, *changes], [*changes, len(values)], strict=True))
