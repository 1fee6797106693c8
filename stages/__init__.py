"""One thin module per DVC stage: reads argv and params.yaml, calls the package, writes the outputs."""

import sys
from types import TracebackType


def _say_stopped(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Ctrl-C is one line instead of a traceback; from here on, since imports alone may take seconds."""
    if issubclass(kind, KeyboardInterrupt):
        print("stopped; run the same command again to go on", file=sys.stderr)
        sys.exit(130)  # as a shell says of Ctrl-C
    sys.__excepthook__(kind, error, trace)


sys.excepthook = _say_stopped
