"""Charts of a model's evaluation, drawn by matplotlib: where the codes lie, and what each latent dimension carries."""

from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from autoencoder.planes import MAPPED, frame_of, principal_plane, shares
from autoencoder.sheets import DIGIT_COLOURS
from autoencoder.subsets import evenly_spread

DOTS_PER_INCH = 160  # for a screen of 80 an inch: sharp on one that has twice as many
CIRCLES = (1, 2, 3)  # standard deviations of N(0, I)
ACCENT = "#2f6db3"
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "legend.frameon": False,
}

Picture = UInt8[np.ndarray, "height width 3"]


def latent_map(name: str, codes: Float[np.ndarray, "n latent_dim"], labels: UInt8[np.ndarray, " n"]) -> Picture:
    """Codes of test images coloured by digit, with circles of N(0, I); of more than two dimensions, their main plane."""
    plane = principal_plane(codes)
    points, prior = plane.coordinates(codes), plane.coordinates(np.zeros((1, codes.shape[1])))[0]
    shown = evenly_spread(MAPPED, len(codes))
    with rc_context(STYLE):
        figure = Figure(figsize=(5.2, 5.6), layout="constrained")
        axes = figure.add_subplot()
        for digit in np.unique(labels):
            place = points[shown][labels[shown] == digit]
            colour = DIGIT_COLOURS[digit % len(DIGIT_COLOURS)]
            axes.scatter(place[:, 0], place[:, 1], color=colour, s=6, linewidths=0, label=str(digit))
        for radius in CIRCLES:
            axes.add_patch(Circle(tuple(prior), radius, fill=False, linestyle="--", linewidth=1))
        digits = axes.get_legend_handles_labels()[0]
        circles = axes.plot([], [], "k--", linewidth=1, label="N(0, I): 1, 2, 3 standard deviations")
        frame = frame_of(points, np.stack([prior - CIRCLES[-1], prior + CIRCLES[-1]]))
        left_right, down_up = frame.middle[:, None] + frame.reach * np.array([-1, 1])
        axes.set(xlim=left_right, ylim=down_up)
        axes.set_aspect("equal")
        axes.set_title(f"{name}: codes of {len(points[shown]):,} test images")
        if codes.shape[1] <= 2:
            axes.set(xlabel="latent dimension 0", ylabel="latent dimension 1")
        else:
            share = shares(plane, codes)
            axes.set(
                xlabel=f"main axis 1 of {codes.shape[1]} dimensions ({share[0]:.0%} of the codes' variance)",
                ylabel=f"main axis 2 ({share[1]:.0%})",
            )
        axes.legend(handles=circles, loc="best", frameon=True)
        figure.legend(
            handles=digits, loc="outside lower center", ncols=10, markerscale=2.5, handletextpad=0, columnspacing=1
        )
        return drawn(figure)


def dimensions(name: str, values: Float[np.ndarray, " latent_dim"], unit: str) -> Picture:
    """What every latent dimension carries, in a unit that differs by kind of model, the most first."""
    order = np.argsort(-values, kind="stable")
    with rc_context(STYLE):
        figure = Figure(figsize=(5.2, 2.6), layout="constrained")
        axes = figure.add_subplot()
        axes.bar(range(len(values)), values[order], color=ACCENT)
        every = -(-len(values) // 32)  # labels that fit
        axes.set_xticks(range(0, len(values), every), [str(index) for index in order[::every]])
        axes.set(xlabel="latent dimension", ylabel=unit, title=f"{name}: latent dimensions, largest first")
        axes.margins(x=0.01)
        return drawn(figure)


def drawn(figure: Figure) -> Picture:
    """The finished figure as pixels."""
    figure.set_dpi(DOTS_PER_INCH)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
