"""Page: images through several models, side by side: test images, a drawing, a photograph."""

from collections.abc import Callable

import artifacts
import layout
import numpy as np
import own_digit
import streamlit as st
from close_up import close_up
from jaxtyping import Int, UInt8
from side_by_side import JUDGED, TEST_IMAGE, errors_of, table

from autoencoder.exported import ExportedModel
from autoencoder.images import to_unit_interval
from autoencoder.reader import Reader
from autoencoder.subsets import evenly_spread, shuffled

WAYS = ["Random", "Label", "Index", "Worst"]
DECODED = ["Mean", "A sample"]


def choose_images(
    how: str, labels: UInt8[np.ndarray, " n"], worst: Callable[[], Int[np.ndarray, " n"]]
) -> Int[np.ndarray, " chosen"]:
    """The widgets that say which test images to show, and the indices they give."""
    panel = st.sidebar
    pool = np.arange(len(labels))
    if how == "Index":
        start = panel.number_input("First index", 0, len(labels) - 1, 0, key="index", bind="query-params")
        pool = pool[start:]
    if how == "Label":
        classes = np.unique(labels).tolist()
        label = panel.pills("Label", classes, default=classes[0], required=True, key="label", bind="query-params")
        pool = np.flatnonzero(labels == label)
    if how == "Worst":
        pool = worst()
        panel.caption(f"Those with the largest mean error over the models, of {len(pool):,} spread over all.")
    if how in ("Random", "Label"):
        # of one digit: the images through which a walk goes, in that order
        pool = shuffled(pool, layout.choose_draw(panel))
    count = panel.slider("How many", 1, 8, 5, key="count", bind="query-params")
    return pool[:count]


def hardest(models: dict[str, ExportedModel], images: UInt8[np.ndarray, "n 28 28"]) -> Int[np.ndarray, " n"]:
    """Some test images, those first that all models together reconstruct worst; samples do not reorder them."""
    order = np.argsort(-np.mean(list(errors_of(models, images).values()), axis=0), kind="stable")
    return evenly_spread(JUDGED, len(images))[order]


def choose_decoding(models: dict[str, ExportedModel]) -> int | None:
    """The seed of samples of the posterior, None for its mean; asked only where there is a VAE."""
    if not any(model.manifest.variational for model in models.values()):
        return None
    panel = st.sidebar
    which = layout.choose_one(
        panel, "A VAE decodes", {name: name for name in DECODED}, key="decode",
        help="Its encoder gives a distribution of latents: decode its mean, or a sample of it.",
    )  # fmt: skip
    return panel.number_input("Noise", 0, 9999, 0, key="noise", bind="query-params") if which != DECODED[0] else None


def own_image(how: str, models: dict[str, ExportedModel], reader: Reader | None) -> UInt8[np.ndarray, "n 28 28"]:
    """The canvas or the upload, beside what the encoder sees; that one image, or none yet."""
    with st.container(horizontal=True, gap="medium", key="own"):
        left, right = st.container(width=own_digit.WIDTH), st.container(width="stretch")
    with left:
        digit = own_digit.choose(how)
    if digit is None:
        right.html(close_up({}, np.zeros((28, 28), np.uint8), "Nothing yet."))
        return np.zeros((0, 28, 28), np.uint8)
    words = ""
    if reader:
        reading = reader.read(to_unit_interval(digit)[None])
        words = f"The classifier reads {reading.label[0]}{', but is not sure' * (not reading.accepted[0])}."
    right.html(close_up(models, digit, words))
    return digit[None]


workspace = artifacts.current()
layout.header(
    "Reconstruct",
    "Each model squeezes an image into a few numbers and draws it again from those alone; "
    "red is where it put too much ink, blue where too little.",
    workspace,
)
models = artifacts.load_models(workspace, layout.choose_models(workspace))
test = artifacts.test_split(workspace, next(iter(models.values())).manifest.dataset)
reader = artifacts.load_reader(workspace)
how = layout.choose_one(st.sidebar, "Images", {way: way for way in (*WAYS, *own_digit.WAYS)}, key="images")
if how in own_digit.WAYS:
    pixels, captions, what = own_image(how, models, reader), [""], f"your {own_digit.WAYS[how]}"
else:
    chosen = choose_images(how, test.labels, lambda: hardest(models, test.images))
    pixels, captions, what = test.images[chosen], [f"{test.labels[i]}, {i}" for i in chosen], TEST_IMAGE
posterior_seed = choose_decoding(models)
if len(pixels):
    errors = errors_of(models, test.images, posterior_seed)
    st.html(table(models, pixels, captions, errors, reader, posterior_seed, what))
    judged = min(JUDGED, len(test.images))
    legend = f"Below each pair: its error (smallest in colour); the share of {judged} test errors below it, if over 90%"
    st.caption(f"{legend}{'; the digit that is read, ? where the classifier is not sure' * bool(reader)}.")
layout.status(models.values())
