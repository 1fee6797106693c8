"""What every stage's process does: end with one message instead of a traceback, never outlive `dvc`, time itself."""

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from autoencoder.errors import ForeseenError, UnusableFileError
from autoencoder.files import write_json

TIMINGS_FOLDER = Path("timings")  # git-ignored and no output of a stage: timings differ from run to run
INIT = 1  # the id of the first process, which adopts orphans
# How torch's message begins where a GPU fails. Of those, `MISTAKE` tells a fault in this project's code, which keeps its
# traceback, and `FULL` a GPU without memory: cuBLAS, cuDNN and cuSOLVER want a workspace to begin, and NVML is what torch
# asks how much memory is left. `NO_ENGINE` may be either of two: cuDNN's engines want workspaces, and not all of them are
# deterministic.
GPU = re.compile(
    r"(CUDA (error|unknown error|out of memory|driver (error|initialization failed))|No CUDA GPUs are available"
    r"|Unexpected error from cuda|cuDNN (Frontend )?error|cusolver error|GET was unable to find an engine|NVML_SUCCESS ==)",
    re.IGNORECASE,
)
MISTAKE = re.compile(r"device-side assert|invalid argument|invalid configuration|captur")
FULL = re.compile(r"out of memory|ALLOC(ATION)?_FAILED|STATUS_NOT_INITIALIZED|NVML_SUCCESS ==")
NO_KERNEL = re.compile(r"no kernel image")
NO_ENGINE = re.compile(r"unable to find an engine")
NO_MEMORY = "DefaultCPUAllocator"  # in torch's message where the machine itself has none left
SHORTAGE = re.compile(r"[Tt]ried to allocate .+? is free")


def run(main: Callable[[], None]) -> None:
    """Run a stage's `main`; a foreseeable failure (bad input, full disk, lost GPU) is one message."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C, which the package itself explains
    if "DVC_STAGE" in os.environ:
        threading.Thread(target=_die_with_dvc, daemon=True).start()
    try:
        main()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)  # what is done is not undone by a Ctrl-C while libraries are cleared away, which takes a second
    except UnusableFileError as error:
        print(f"error: {error}; make it again with `dvc repro`", file=sys.stderr)
        sys.exit(1)
    except (ForeseenError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except Exception as error:  # torch has a few that derive from no narrower class
        if message := explain_full_memory(error):
            print(f"error: {message}", file=sys.stderr)
            sys.exit(1)
        if (message := explain_gpu_failure(error)) is None:
            raise
        print(f"error: {message}", file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)  # torch's clean-up would fail on the same GPU, with messages from C++ and sometimes an abort


def explain_full_memory(error: BaseException) -> str | None:
    """What asked for more memory than the machine has, and how to mend it; None for another error."""
    if not isinstance(error, MemoryError) and NO_MEMORY not in str(error):
        return None
    asked = str(error).rpartition(NO_MEMORY)[2].strip(": ")
    return (
        f"this machine has not enough memory ({asked or 'all of it is taken'}): reduce what needs it in "
        "params.yaml (batch_size, epochs, what is drawn), or stop other programs"
    )


def explain_gpu_failure(error: BaseException) -> str | None:
    """What a failure of the GPU means and how to mend it; None for an error that is not the GPU's.

    A failure while a CUDA graph is captured makes the end of the capture fail too: the first of a chain is meant.
    """
    reason = None
    link: BaseException | None = error
    while link is not None:
        line = str(link).partition("\n")[0]
        if isinstance(link, RuntimeError) and GPU.match(line) and not MISTAKE.search(line):
            reason = line
        link = link.__cause__ or link.__context__
    if reason is None:
        return None
    if FULL.search(reason):
        shortage = SHORTAGE.search(reason)
        return (
            f"the GPU has no memory left ({shortage[0] if shortage else reason}): end what else runs there "
            "(`nvidia-smi` lists it), reduce the network, importance_samples or, in training, batch_size, or choose another "
            "device (DEVICE=cuda:1, DEVICE=cpu)"
        )
    if NO_KERNEL.search(reason):
        return f"this torch is not built for this GPU ({reason}): use another GPU (DEVICE=cuda:1) or DEVICE=cpu"
    if NO_ENGINE.search(reason):
        return (
            f"cuDNN cannot compute this convolution ({reason}): the GPU's memory is full (`nvidia-smi` says what else runs "
            "there), or this GPU has no deterministic way; choose another device (DEVICE=cuda:1, DEVICE=cpu)"
        )
    return f"the GPU has failed ({reason}): see what `nvidia-smi` says of it, then run again, or with DEVICE=cpu"


def write_timings(name: str, device: str, **figures: float) -> None:
    """Record where a stage ran and how fast; timings say nothing about the model, so they are no metrics."""
    figures |= {
        "process_seconds": time.time() - psutil.Process().create_time(),  # imports included
        "peak_memory_mb": _peak_memory() / 1e6,
    }
    rounded = {key: float(f"{value:.4g}") for key, value in figures.items()}
    write_json(TIMINGS_FOLDER / f"{name}.json", {"device": device, **rounded})


def _die_with_dvc() -> None:
    """End this process once `dvc` is gone: an orphan would overwrite the outputs of the run that follows."""
    ancestors = _ancestors_up_to_dvc()
    if not _is_adoption(ancestors[-1]):  # else `dvc` was gone before this process had imported what it needs
        while _ancestors_up_to_dvc() == ancestors:
            time.sleep(0.2)
    os._exit(1)


def _ancestors_up_to_dvc() -> list[int]:
    """The ids of the processes above this one, `dvc` last.

    `dvc` starts `$SHELL -c COMMAND`; bash and zsh become the command, dash stays between the two and outlives `dvc`.
    """
    parent = os.getppid()
    try:
        process = psutil.Process(parent)
        return [parent, process.ppid()] if parent != INIT and "-c" in process.cmdline() else [parent]
    except psutil.Error:  # already gone, or not ours to look at
        return [parent]


def _is_adoption(ancestor: int) -> bool:
    """Whether this is the process that takes over orphans; in a container that has the number of `dvc` itself, maybe."""
    try:
        process = psutil.Process(ancestor)
        adopts = ancestor == INIT or process.name() == "systemd"
        return adopts and all(Path(word).stem != "dvc" for word in process.cmdline())
    except psutil.Error:  # not ours to look at
        return ancestor == INIT


def _peak_memory() -> int:
    """The most memory that this process has held so far, in bytes."""
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
