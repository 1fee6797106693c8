"""What a run on a GPU is to show, what it has shown, and whether that is enough: the table that ends the benchmark."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import fmean, variance
from typing import Any

from autoencoder.onnx_export import ATOL

EPOCH_RTOL = 1e-2  # after an epoch; starting weights that differ by 1e-7 move the loss by up to 4e-3 on one machine
STANDARD_ERRORS = 3  # of a difference between seeds' means: what two devices or precisions may differ by
TIMES_FASTER = 300
KERNEL_SHARE = 0.9
TRAINING_SECONDS = 3.0
COMPUTE_SECONDS = 60.0

Row = tuple[str, str, str, bool]


def rows(results: Mapping[str, Any]) -> list[Row]:
    """One per claim whose part has run: what it is, what was measured, what was wanted, whether it is met."""
    return [row for part, judge in JUDGES.items() if part in results for row in judge(results[part])]


def table(results: Mapping[str, Any]) -> str:
    """The rows for a terminal."""
    cells = [
        ("claim", "measured", "wanted", ""),
        *((*row[:3], "met" if row[3] else "NOT MET") for row in rows(results)),
    ]
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in cells)


def _same_bytes(found: dict[str, Any]) -> Iterator[Row]:
    yield "same seed, same bytes", f"{found['files']} files", "equal", found["again"]
    how = "resumed" if found["resumed"] else "started over"
    yield "killed and run again, same bytes", how, "resumed, equal", found["killed"] and found["resumed"]


def _kernel_share(found: dict[str, Any]) -> Iterator[Row]:
    for name, share in found.items():
        value, launches = share["profiled"], share["optimizer_kernels_per_step"]
        measured = f"{value:.0%} ({share['undisturbed']:.0%} of an undisturbed run)" + (
            " (the profiler has lost some)" if launches % 1 or not launches else ""
        )
        yield f"time in kernels, {name}", measured, f"at least {KERNEL_SHARE:.0%}", value >= KERNEL_SHARE


def _time_to_quality(found: dict[str, Any]) -> Iterator[Row]:
    recipe = found["recipe"]
    ratio, good, seeds = recipe["times_faster"], recipe["as_good"], len(found["seeds"])
    measured = f"{ratio:.0f} times ({good} of {seeds} as good)"
    met = ratio >= TIMES_FASTER and good == seeds
    yield "faster than the article's loop", measured, f"at least {TIMES_FASTER} times, all as good", met


def _compute(found: dict[str, float]) -> Iterator[Row]:
    for name in ("ae", "vae"):
        taken = found[f"train_{name}"]
        yield f"stage train, {name}", f"{taken:.1f} s", f"under {TRAINING_SECONDS:.0f} s", taken < TRAINING_SECONDS
    taken = sum(found.values())
    yield f"all {len(found)} stages", f"{taken:.0f} s", f"under {COMPUTE_SECONDS:.0f} s", taken < COMPUTE_SECONDS


def _wall(seconds: float) -> Iterator[Row]:
    yield "`dvc repro` from scratch", f"{seconds:.0f} s", "stated", True


def _providers_agree(found: dict[str, Any]) -> Iterator[Row]:
    worst = max(found, key=lambda name: found[name]["of_tolerance"])
    share = found[worst]["of_tolerance"]
    measured = f"at most {share:.2g} of it ({worst}, {found[worst]['max_abs']:.1e})"
    yield f"CUDA as the CPU, {len(found)} outputs", measured, f"{ATOL:.0e}, of codes by spread", share <= 1


def _cpu_agreement(found: dict[str, Any]) -> Iterator[Row]:
    for name, on_cpu in found["cpu"].items():
        yield _by_seeds(f"vae on GPU and CPU: {name}", found["gpu"][name], on_cpu)
    losses = found["ae_validation_loss"]
    relative = max(abs(gpu / cpu - 1) for gpu, cpu in zip(losses["gpu"], losses["cpu"], strict=True))
    yield (
        f"ae's losses, first {len(losses['gpu'])} epochs",
        f"within {relative:.1e}",
        f"{EPOCH_RTOL:.0e}",
        relative <= EPOCH_RTOL,
    )


def _tf32(found: dict[str, Any]) -> Iterator[Row]:
    fast, exact = (found[name]["validation_loss"] for name in ("tf32", "ieee"))
    yield _by_seeds("vae in TF32 and full precision: validation loss", fast, exact)


def _by_seeds(claim: str, found: Sequence[float], expected: Sequence[float]) -> Row:
    """Whether two means differ by no more than seeds do: training amplifies the least difference in rounding.

    By no more than the range of those expected, or three standard errors of the difference, whichever is more.
    """
    by_chance = STANDARD_ERRORS * math.sqrt(sum(variance(values) / len(values) for values in (found, expected)))
    limit = max(by_chance, max(expected) - min(expected))
    measured = f"mean {fmean(found):.4g} to {fmean(expected):.4g}"
    return claim, measured, f"within {limit:.2g}", abs(fmean(found) - fmean(expected)) <= limit


JUDGES: dict[str, Callable[[Any], Iterator[Row]]] = {
    "same_bytes": _same_bytes,
    "providers_agree": _providers_agree,
    "cpu_agreement": _cpu_agreement,
    "tf32": _tf32,
    "time_to_quality": _time_to_quality,
    "kernel_share": _kernel_share,
    "compute": _compute,
    "wall": _wall,
}
