"""What the benchmarks have measured, as tables for the documents: speed, likelihood, the viewer, photographs."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autoencoder.comparison import table
from scripts import gpu_verdict
from scripts.machine import in_words

SPEED, GPU, LIKELIHOOD, PHOTOGRAPHS = (
    Path(f"benchmarks/results/{name}.json") for name in ("cpu", "gpu", "likelihood", "photos")
)
TIMED = ("decoding", "first_paint", "interaction", "time_to_quality", "time_per_epoch", "pipeline")
TIMED_ON_GPU = ("kernel_share", "step", "compiled_step", "tf32", "time_to_quality")
WITHOUT_MODEL = {"classifier", "export_classifier", "reference"}  # stages; the others' timings are <stage>_<model>

ANSWERS = {
    "Explore, two dimensions: a key on a slider until the blended picture": ("explore_2d", "key_to_blended"),
    "from its release until the exact picture": ("explore_2d", "release_to_exact"),
    "Explore, 20 dimensions: a key until the blended picture": ("explore_20d", "key_to_blended"),
    "from its release until the exact picture, with new strips": ("explore_20d", "release_to_exact"),
    "Reconstruct: the end of a stroke until its reconstructions by five models": ("stroke",),
    "five other images through five models": ("reconstruct_another_draw",),
    "Sample: other noise, 25 samples of five models": ("sample_another_draw",),
    "Walk: other images, five models": ("walk_another_draw",),
    "to the page Reconstruct": ("page_switch", "reconstruct"),
    "to the page Sample": ("page_switch", "sample"),
    "to the page Explore": ("page_switch", "explore"),
    "to the page Walk": ("page_switch", "walk"),
    "to the page Compare": ("page_switch", "compare"),
    "to the page Training": ("page_switch", "training"),
    "ten sessions at once, an action a second each: in the page of one": ("ten_sessions", "in_the_page"),
    "until the server has answered the others": ("ten_sessions", "at_the_server"),
}
PHOTOGRAPHED = {
    "photographed": "moved, scaled, photographed",
    "thicker_pen": "and thickened by up to half a pixel of MNIST's",
    "marker": "thickened by half to one and a half pixels",
    "fine_pen": "thinned by about half a pixel",
    "bad_light": "a shadow's edge across the paper",
    "bad_camera": "out of focus and noisy",
    "dirty_paper": "specks on the paper",
    "blackboard": "bright on a dark board",
}


def _timings() -> dict[str, Any]:
    """What `make bench` has measured, all of it."""
    return _complete(SPEED, TIMED, "make bench")


def _complete(path: Path, parts: Sequence[str], command: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    if missing := [part for part in parts if part not in found]:
        sys.exit(f"error: {path} lacks {', '.join(missing)}: `{command}` measures all parts on one machine")
    return found


def highlights() -> str:
    """The most telling figures of `make bench`, one line each."""
    found = _timings()
    quality, epochs, pipeline = found["time_to_quality"], found["time_per_epoch"], found["pipeline"]
    recipe, article = quality["recipe"], quality["article"]
    rows = [row for name, row in epochs.items() if name not in ("images", "networks", "peak_gflops")]
    plain, pythae = ([row[f"{loop}_over_ours"] for row in rows] for loop in ("plain", "pythae"))
    drag, paint = found["interaction"]["explore_2d"], found["first_paint"]["viewer"]["first_page_seconds"]
    changed = pipeline["changes"]
    lines = {
        "the article's autoencoder, to the error of 5 epochs of the article's loop": f"in "
        f"{recipe['seconds']['median']:.1f} s instead of {article['seconds']['median']:.0f}, **{recipe['times_faster']:.1f} "
        f"times** faster: one epoch with Muon, {recipe['as_good']} of {len(quality['seeds'])} seeds; "
        f"with the article's optimiser, batches and epochs {quality['same_optimizer']['times_faster']:.1f} times faster",
        f"an epoch, over {len(rows)} networks": f"{min(plain):.1f} to {max(plain):.1f} times faster than a plain "
        f"DataLoader loop, {min(pythae):.1f} to {max(pythae):.1f} times as fast as pythae's",
        f"`dvc repro`, {_models(pipeline)} models": f"{pipeline['wall_seconds'] / 60:.0f} minutes from scratch, "
        f"{changed['one_number']:.0f} s after a change to one of them, {changed['nothing']:.0f} s after none",
        "the viewer": f"first page {paint['median']:.1f} s after the server answers, {drag['pictures_a_second']['median']:.0f} pictures a "
        f"second under a dragged point, the exact one {drag['release_to_exact']['median']:.0f} ms after its release",
    }
    on_gpu = _complete(GPU, TIMED_ON_GPU, "make bench-gpu")
    quality, seconds = on_gpu["time_to_quality"], on_gpu["tf32"]["tf32"]["seconds"]
    least, most = _with_capture(quality)
    lines[f"on a GPU ({on_gpu['environment']['gpu']})"] = (
        f"the first row in {quality['recipe']['seconds']['median']:.2f} s from the first step instead of "
        f"{quality['article']['seconds']['median']:.0f} (one run), **{quality['recipe']['times_faster']:.0f} times** faster, "
        f"{least:.0f} to {most:.0f} times with graph capture; {quality['recipe']['as_good']} of "
        f"{len(quality['seeds'])} seeds; `vae` trained in "
        f"{min(seconds):.1f} to {max(seconds):.1f} s"
    )
    where = f"{in_words(found['environment'])}; {in_words(on_gpu['environment'])}"
    return f"{table(['', ''], [[*line] for line in lines.items()], numbers=False)}\n\n{where}."


def speed() -> str:
    """What `make bench` measured."""
    found = _timings()
    machine = found["environment"]
    quality, epochs, decoding = found["time_to_quality"], found["time_per_epoch"], found["decoding"]
    pipeline, paint = found["pipeline"], found["first_paint"]
    images, networks, peak = (epochs.pop(name) for name in ("images", "networks", "peak_gflops"))
    mlp, conv = networks["mlp"], networks["conv"]
    parts = [
        f"{in_words(machine)}, onnxruntime {machine['onnxruntime']}; seconds are medians, with the least and most of the repeats in brackets.",
        _time_to_quality(quality),
        f"*Seconds per epoch* of 50,000 images, timed on {images['mlp']:,} of them (convolutions: {images['conv']:,}); MLP: "
        f"`hidden: {mlp['hidden']}`, conv: `channels: {conv['channels']}, hidden: {conv['hidden']}`; "
        f"the floor is the arithmetic alone at the {peak:.0f} "
        "GFLOP/s that a large matrix product of torch's reaches here:",
        table(
            ["network", "this loop", "plain DataLoader loop", "pythae 0.1.2", "floor", "this loop / floor"],
            [
                [
                    name,
                    *(_seconds(row[loop]) for loop in ("ours", "plain", "pythae")),
                    f"{row['floor']:.2f}",
                    f"{row['times_floor']:.1f}",
                ]
                for name, row in epochs.items()
            ],
        ),
        f"*The pipeline*, {_models(pipeline)} models, data already there:",
        table(
            ["`dvc repro`", "seconds"],
            [
                ["from scratch", f"{pipeline['wall_seconds']:.0f}"],
                ["with nothing changed", f"{pipeline['changes']['nothing']:.1f}"],
                ["`models.vae.beta` changed", f"{pipeline['changes']['one_number']:.0f}"],
                ["and put back", f"{pipeline['changes']['put_back']:.1f}"],
            ],
        ),
        table(
            ["stage, over its models", "seconds of the process, imports included", "peak memory (GB)"],
            [[f"`{stage}`", *cells] for stage, cells in _stages(pipeline["stages"]).items()],
        ),
        f"*Serving*, one core: milliseconds to decode latents with `{decoding['model']}`'s exported decoder; the floor, "
        "again, is at the speed of torch's large matrix product, which onnxruntime's own can beat:",
        table(
            ["latents", "onnxruntime", "torch", "numpy", "floor"],
            [
                [
                    f"{int(batch):,}",
                    *(f"{row[name]['median']:.2f}" for name in ("onnxruntime", "torch", "numpy")),
                    f"{row['floor']:.2f}",
                ]
                for batch, row in sorted(decoding["milliseconds"].items(), key=lambda item: int(item[0]))
            ],
        ),
        f"*The viewer* answers {_seconds(paint['viewer']['server_seconds'])} s after `streamlit run` and shows its first "
        f"page {_seconds(paint['viewer']['first_page_seconds'])} s later in a Chromium with an empty cache; an empty "
        f"Streamlit app takes {_seconds(paint['empty_app']['first_page_seconds'])} s for that. It holds "
        f"{paint['viewer']['memory_mb']['median']:.0f} MB.",
    ]
    return "\n\n".join(parts)


def gpu() -> str:
    """What `make bench-gpu` measured, as far as it has run."""
    found = _complete(GPU, TIMED_ON_GPU, "make bench-gpu")
    machine, quality = found["environment"], found["time_to_quality"]
    recipe, step, tf32 = quality["recipe"], found["step"], found["tf32"]
    capture = [pick(run["prepare_seconds"] for run in recipe["runs"]) for pick in (min, max)]
    least, most = _with_capture(quality)
    in_tf32, in_full = (
        f"{min(run['seconds']):.1f} to {max(run['seconds']):.1f} s" for run in (tf32["tf32"], tf32["ieee"])
    )
    return "\n\n".join(
        [
            f"{in_words(machine)}, driver {machine['driver']}, CUDA {machine['cuda']}, Python {machine['python']}, "
            f"onnxruntime {machine['onnxruntime']}; {machine['cpu_cores']} cores of an {machine['cpu']}.",
            table(
                ["claim", "measured", "wanted", ""],
                [[*row[:3], "met" if row[3] else "**not met**"] for row in gpu_verdict.rows(found)],
                numbers=False,
            ),
            _time_to_quality(quality),
            f"These seconds begin with the first step. To capture it takes {capture[0]:.2f} to {capture[1]:.2f} s: "
            f"with that, this loop with Muon is {least:.0f} to {most:.0f} times faster. A step of `vae` takes "
            f"{step['captured'] / 1e3:.2f} ms as a captured graph, {found['compiled_step'] / 1e3:.2f} with compiled "
            f"kernels in it, and {step['eager'] / 1e3:.1f} called by Python; its 20 epochs {in_tf32} in TF32, {in_full} "
            "in full precision.",
        ]
    )


def _with_capture(quality: dict[str, Any]) -> tuple[float, float]:
    """How many times faster than the article's loop the recipe is, at least and at most, its preparation included."""
    article, recipe = quality["article"]["seconds"]["median"], quality["recipe"]
    times = [article / (recipe["seconds"]["median"] + run["prepare_seconds"]) for run in recipe["runs"]]
    return min(times), max(times)


def _time_to_quality(quality: dict[str, Any]) -> str:
    """The article's loop against this one."""
    words = {
        "article": "the article's own loop, 5 epochs",
        "same_optimizer": "this training loop, same optimiser, batches and epochs",
        "recipe": "this training loop with Muon, 1 epoch",
    }
    rows = []
    for name, text in words.items():
        found = quality[name]
        errors = [run["test_mse"] for run in found["runs"]]
        faster = f"**{found['times_faster']:.{1 if found['times_faster'] < 100 else 0}f}**" if name != "article" else ""
        as_good = f"{found['as_good']} of {len(errors)}"
        rows.append([text, _seconds(found["seconds"]), _range(errors), faster, as_good])
    head = ["", "seconds", "test MSE", "times faster", f"as good as {quality['target_mse']:.4f}"]
    about = f"*Time to quality*: the article's autoencoder on {quality['images']:,} images"
    return f"{about}, {len(quality['seeds'])} seeds:\n\n{table(head, rows)}"


def _models(pipeline: dict[str, Any]) -> int:
    return sum(name.startswith("train_") for name in pipeline["stages"])


def _range(values: Sequence[float]) -> str:
    return " to ".join(dict.fromkeys(f"{pick(values):.4f}" for pick in (min, max)))


def _seconds(value: dict[str, float]) -> str:
    only = value["min"] == value["max"]
    return f"{value['median']:.2f}" + ("" if only else f" ({value['min']:.2f} to {value['max']:.2f})")


def _stages(timings: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    """Least and most of the models that go through a stage."""
    rows = {}
    stages = {name: name if name in WITHOUT_MODEL else name.partition("_")[0] for name in timings}
    for stage in dict.fromkeys(stages.values()):
        found = [timing for name, timing in timings.items() if stages[name] == stage]
        seconds = sorted({f"{timing['process_seconds']:.0f}" for timing in found}, key=float)
        memory = max(timing["peak_memory_mb"] for timing in found) / 1e3
        rows[stage] = [" to ".join(dict.fromkeys((seconds[0], seconds[-1]))), f"{memory:.1f}"]
    return rows


def likelihood() -> str:
    """What `python -m benchmarks.likelihood` measured."""
    rows = []
    for name, run in json.loads(LIKELIHOOD.read_text()).items():
        minutes = (f"{run['seconds'][stage] / 60:.0f}" for stage in ("train", "export", "evaluate"))
        nll, nll_gmm = (f"**{run[metric]:.2f}**" for metric in ("nll", "nll_gmm"))
        counts = (f"{run[count]:,}" for count in ("iwae_samples", "iwae_images", "parameters"))
        rows.append([f"`{name}`", str(run["seed"]), nll, nll_gmm, *counts, *minutes, in_words(run["environment"])])
    head = ["", "seed", "nll", "nll_gmm", "k", "test images", "parameters"]
    return table([*head, "minutes to train", "to export", "to evaluate", "on"], rows)


def interaction() -> str:
    """What `make bench` measured of the viewer's answers."""
    found = _timings()
    machine, measured = found["environment"], found["interaction"]
    rows = []
    for words, path in ANSWERS.items():
        value = measured
        for key in path:
            value = value[key]
        rows.append([words, *(f"{value[key]:.0f}" for key in ("median", "min", "max"))])
    return "\n\n".join(
        [
            f"Milliseconds in the page of a Chromium on the server's own machine ({in_words(machine)}), measured by "
            "`make bench`:",
            table(["", "median", "least", "most"], rows),
            f"In a drag the picture follows {measured['explore_2d']['pictures_a_second']['median']:.0f} times a second in "
            f"two dimensions, {measured['explore_20d']['pictures_a_second']['median']:.0f} in 20. The ten sessions: "
            "half on Reconstruct, half on Sample, one in a browser, whose page is measured, nine as its requests alone.",
        ]
    )


def photographs() -> str:
    """What `python -m benchmarks.photos` measured."""
    found = json.loads(PHOTOGRAPHS.read_text())
    rows = []
    for setting, words in PHOTOGRAPHED.items():
        part = found[setting]
        errors = [
            part[form][f"error_against_{what}"] for form in ("prepared", "naive") for what in ("input", "original")
        ]
        ratios = [f"{part['times_clean']:.2f}", f"{part['times_better_than_naive']:.1f}"]
        read = [f"{part[form]['read_alike']:.1%}" for form in ("prepared", "naive")]
        rows.append([words, *(f"{error:.4f}" for error in errors), *ratios, *read])
    clean = found["photographed"]["clean"]["error_against_original"]
    head = [
        f"{found['photographed']['digits']} digits", "prepared: MSE to the encoder's input", "prepared: MSE to the original",
        "naive: MSE to the encoder's input", "naive: MSE to the original", "prepared: times the clean digits' MSE",
        "prepared: times better than naive", "prepared: read as the clean digit", "naive: read as the clean digit",
    ]  # fmt: skip
    return f"{table(head, rows)}\n\nThe clean digits themselves are reconstructed with an MSE of {clean:.4f}."
