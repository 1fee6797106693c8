"""Page: models in columns: the same digit, the same seed, the same walk; their figures; the two claims."""

import html

import artifacts
import layout
import measurements
import numpy as np
import streamlit as st
from artifacts import Workspace

from autoencoder.catalog import BY_NAME, METRICS, Metric
from autoencoder.claims import caveat, completeness, continuity
from autoencoder.comparison import ARROWS, REAL, Rows, as_rows, best_values, measured, shown
from autoencoder.exported import ExportedModel
from autoencoder.headline import HEADLINE
from autoencoder.images import image_grid, to_uint8, to_unit_interval
from autoencoder.priors import draw_noise, sample
from autoencoder.reconstruction import mean_squared_errors
from autoencoder.verdicts import pairs
from autoencoder.walks import linear

ROOM = 985  # pixels for the columns, at 1440x900 beside the sidebar
CHART = 'width="980" style="image-rendering: auto{}"'
ON_DARK = "; filter: invert(1) hue-rotate(180deg); mix-blend-mode: screen"  # black on white, turned round
ARRANGEMENTS = ((4, 2), (3, 2), (4, 1), (3, 1))  # samples, and frames of the walk, in a row; their scale
PADDING = 20
FIRST, LARGE = 3, 6  # pixel scales of the test images and of their reconstructions
VIEWS = {"pictures": "Pictures", "figures": "Figures", "claims": "The two claims"}


def pictures(models: dict[str, ExportedModel], images: np.ndarray, seed: int) -> str:
    """One column per model: the first image reconstructed, samples of N(0, I), the walk to the second image."""
    side, scale = arrangement(len(models))
    large = min(LARGE, side * scale)
    pixels = to_unit_interval(images)
    head, digit, samples, walk = ["<th></th>"], [], [], []
    digit.append(f"<td>{layout.picture(images[0], 'test image', FIRST)}<small>the same digit</small></td>")
    samples.append("<td><small>the same seed</small><small>from N(0, I)</small></td>")
    walk.append(f"<td>{layout.picture(images[1], 'second test image', FIRST)}<small>the same walk</small></td>")
    for name, model in models.items():
        codes = model.encode(pixels).mean
        steps = linear(codes[0], codes[1], np.linspace(0, 1, 2 * side, dtype=np.float32))
        noise = draw_noise(side * side, model.manifest.latent_dim, seed)
        grids = {
            "samples": image_grid(model.decode(sample(model.latents.priors["normal"], noise)), side, 2, scale, 64),
            "walk": image_grid(model.decode(steps), side, 2, scale, 64),
        }
        decoded = model.decode(codes[:1])
        error = mean_squared_errors(pixels[:1], decoded)[0]
        head.append(f"<th>{layout.name_and_size(name, model)}</th>")
        picture = layout.picture(to_uint8(decoded[0]), f"{name}: reconstruction", large)
        digit.append(f"<td>{picture}<small>error {error:.4f}</small></td>")
        samples.append(f"<td>{layout.picture(grids['samples'], f'{name}: samples')}</td>")
        walk.append(f"<td>{layout.picture(grids['walk'], f'{name}: walk')}</td>")
    return layout.table("sheet tight", (head, digit, samples, walk))


def arrangement(models: int) -> tuple[int, int]:
    """How many samples stand in a row, and their pixel scale: the largest at which all columns fit the room."""
    fits = ((side, scale) for side, scale in ARRANGEMENTS if models * (side * (28 * scale + 2) + PADDING) <= ROOM)
    return next(fits, ARRANGEMENTS[-1])


def figures(rows: Rows, metrics: list[Metric]) -> str:
    """The measured figures, one row each with its meaning on hover, one column per model; the best is marked."""
    best = best_values(rows)
    lines = [["<th></th>", *(f"<th>{html.escape(name if name != REAL else 'real images')}</th>" for name in rows)]]
    for metric in metrics:
        meaning = html.escape(f"{metric.meaning} ({metric.unit})", quote=True)
        cells = [f'<th title="{meaning}">{metric.name}{ARROWS[metric.better]}</th>']
        for name, row in rows.items():
            value = row.get(metric.name)
            mark = " class=best" if value and name != REAL and value[0] == best.get(metric.name) else ""
            cells.append(f"<td{mark}>{shown(value) if value else ''}</td>")
        lines.append(cells)
    return layout.table("figures", lines)


def meanings(metrics: list[Metric]) -> str:
    """What hovering tells, for who cannot hover."""
    lines = (f"<dt>{metric.name}</dt><dd>{html.escape(f'{metric.meaning} ({metric.unit})')}</dd>" for metric in metrics)
    return f'<dl class="meanings">{"".join(lines)}</dl>'


def show_claims(workspace: Workspace) -> None:
    """What the figures say of continuity and completeness, above the chart that shows it."""
    found = pairs(workspace.models)
    if not found:
        st.info("There is no autoencoder with a VAE of the same size in params.yaml to compare.")
        return
    names = [name for pair in found for name in (pair.ae, pair.vae)]
    rows = as_rows(measurements.load(workspace, [*names, REAL]))
    found = [pair for pair in found if {pair.ae, pair.vae, REAL} <= rows.keys()]
    if not found:
        return
    try:
        words = {
            "Continuity": [continuity(rows, pair) for pair in found],
            "Completeness": [*(completeness(rows, pair) for pair in found), caveat(rows)],
        }
    except KeyError as missing:
        st.error(
            f"`details/` lacks `{missing.args[0]}`: an earlier version of the pipeline wrote it. "
            f"To mend it: {workspace.mend('report')}",
            icon=":material/error:",
        )
        return
    try:
        chart = (workspace.root / "report" / "claims.png").read_bytes()
    except OSError:
        st.info(f"The chart is missing. To make it: {workspace.mend('report')}", icon=":material/bar_chart:")
    else:
        size = CHART.format(ON_DARK if st.context.theme.type == "dark" else "")
        picture = layout.embed(chart, "continuity and completeness of every model", size)
        st.html(f'<div class="chart">{picture}</div>')
        st.caption("Of all models, whatever is chosen under Models. Squares are the article's networks.")
    for column, (title, paragraphs) in zip(st.columns(2), words.items(), strict=True):
        column.subheader(title)
        for paragraph in paragraphs:
            column.markdown(paragraph)


workspace = artifacts.current()
layout.header("Compare", "The same question to every model: whose answers would you trust?", workspace)
names = layout.choose_models(workspace)
view = layout.choose_one(st, "View", VIEWS, key="view", label_visibility="collapsed")
models = artifacts.load_models(workspace, names)
if view == "pictures":
    panel = st.sidebar
    images = artifacts.test_split(workspace, next(iter(models.values())).manifest.dataset).images
    first = panel.number_input("Test image", 0, len(images) - 1, 0, key="index", bind="query-params")
    second = panel.number_input("Walk to", 0, len(images) - 1, 1, key="second", bind="query-params")
    seed = panel.number_input("Seed of the noise", 0, 2**31 - 1, 0, key="seed", bind="query-params")
    st.html(pictures(models, images[[first, second]], seed))
elif view == "figures":
    every = st.sidebar.toggle("All figures", key="every", bind="query-params")
    rows = as_rows(measurements.load(workspace, [*models, REAL]))
    if metrics := measured(METRICS if every else [BY_NAME[name] for name in HEADLINE], rows):
        st.html(figures(rows, metrics))
        st.caption("Arrows point to better, the best value is marked.")
        st.expander("What the figures mean").html(meanings(metrics))
else:
    show_claims(workspace)
layout.status(models.values())
