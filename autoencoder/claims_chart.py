"""The chart at the top of the report: continuity and completeness of every model, each by its name."""

from collections.abc import Mapping, Sequence
from statistics import fmean

import numpy as np
from jaxtyping import Float
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.ticker import FuncFormatter
from matplotlib.transforms import Bbox

from autoencoder.charts import STYLE, Picture, drawn
from autoencoder.comparison import REAL, Models, Rows

SMALLEST = 1e-3  # of what is drawn on a logarithmic axis
COLOURS = {"pca": "#717581", "ae": "#e76300", "vae": "#3f90da"}
# where a name may stand, seen from its point: to the right (1) or left (-1), above (1) or below (-1)
BESIDE = ((1, 1), (-1, 1), (1, -1), (-1, -1), (1, 0), (-1, 0), (0, 1), (0, -1))
SIDES = {1: ("left", "bottom"), 0: ("center", "center"), -1: ("right", "top")}  # of the name that are at the point
DISTANCE = 6  # from the point, in typographic points
MARGIN = 7  # around a name in pixels: half of a point's mark
WORSE = 10  # to hide a name or a mark, or to leave the axes, is as bad as to hide so many points
LINE_POINTS = 60  # a line counts as so many points
ROUNDS = 3  # each name is placed so often: at first it does not know where later ones will stand
Points = Float[np.ndarray, "n 2"]


def claims_chart(rows: Rows, models: Models) -> Picture:
    """Both claims at a glance: small steps on the left, samples on the right."""
    with rc_context(STYLE):
        figure = Figure(figsize=(9.6, 4.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        steps: dict[str, Points] = {}
        samples: dict[str, Points] = {}
        for name, params in models.items():
            row = {key: fmean(values) for key, values in rows[name].items()}
            colour = COLOURS[params["kind"].removesuffix("_article")]
            marker = "s" if params["kind"].endswith("_article") else "o"
            place = np.maximum((row["normalized_path_length"], row["label_flip_rate"]), SMALLEST)
            left.plot(*place, marker, color=colour)
            steps[name] = place[None]
            ends = [(row[f"prior_acceptance_{prior}"], row[f"coverage_{prior}"]) for prior in ("normal", "gmm")]
            right.plot(*zip(*ends, strict=True), "-", color=colour, linewidth=0.8, alpha=0.6)
            right.plot(*ends[0], marker, color=colour)
            right.plot(*ends[1], marker, color=colour, markerfacecolor="white")
            samples[name] = np.concatenate([np.repeat(ends, WORSE, axis=0), np.linspace(ends[0], ends[1], LINE_POINTS)])
        real = {key: fmean(values) for key, values in rows[REAL].items()}
        place = (real["prior_acceptance_normal"], real["coverage_normal"])
        right.plot(*place, "*", color="black", markersize=11)
        samples["real images"] = np.array([place])
        right.plot([], [], "o", color="black", label="from N(0, I)")
        right.plot([], [], "o", color="black", markerfacecolor="white", label="from a fitted mixture")
        right.legend(loc="upper left")
        left.set(xscale="log", xlabel="normalized_path_length: how far a small step moves the picture, squared")
        left.set(yscale="log", ylabel="label_flip_rate: how often it changes the digit")
        left.set_title("Continuity: lower left is better")
        left.margins(0.2)
        for axis in (left.xaxis, left.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        right.set(xlim=(0, 1), ylim=(0, 1), xlabel="prior_acceptance: share of samples of which the classifier is sure")
        right.set(ylabel="coverage: share of test images that a sample comes near")
        right.set_title("Completeness: upper right is better")
        drawn(figure)  # only now is it settled where the axes stand
        _name(left, steps)
        _name(right, samples)
        return drawn(figure)


def _name(axes: Axes, places: Mapping[str, Points]) -> None:
    """Write every name beside the first of its points, where it hides the fewest points, marks and names."""
    points = axes.transData.transform(np.concatenate(list(places.values())))
    written: dict[str, Bbox] = {}

    def stand(text: Annotation, beside: tuple[int, int]) -> Bbox:
        text.set(position=np.multiply(DISTANCE, beside), ha=SIDES[beside[0]][0], va=SIDES[beside[1]][1])
        return text.get_window_extent()

    texts = {
        name: axes.annotate(name, at[0], (0, 0), textcoords="offset points", size=8) for name, at in places.items()
    }
    for name, text in ROUNDS * [*texts.items()]:
        others = [box for other, box in written.items() if other != name]

        def hides(beside: tuple[int, int], text: Annotation = text, others: Sequence[Bbox] = others) -> int:
            box = stand(text, beside).padded(MARGIN)
            outside = len(box.corners()) - axes.bbox.count_contains(box.corners())
            return int(box.count_contains(points) + WORSE * (outside + box.count_overlaps(others)))

        written[name] = stand(text, min(BESIDE, key=hides))
