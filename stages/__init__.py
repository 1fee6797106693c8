"""One thin module per DVC stage: reads argv and params.yaml, calls the package, writes the outputs."""

import errno
import shutil
import sys
from types import TracebackType

# What a disk or its owner refuses; any other OSError that reaches the hook is a mistake in the code.
REFUSED = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}


def _say_in_one_line(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Ctrl-C and a full disk need no traceback; from here on, since imports alone may take seconds."""
    if issubclass(kind, KeyboardInterrupt):
        print("stopped; run the same command again to go on", file=sys.stderr)
        sys.exit(130)  # as a shell says of Ctrl-C
    if isinstance(error, shutil.Error) or (isinstance(error, OSError) and error.errno in REFUSED):
        # of a tree that cannot be copied: the first file's reason
        print(f"error: {error.args[0][0][2] if isinstance(error, shutil.Error) else error}", file=sys.stderr)
        sys.exit(1)
    sys.__excepthook__(kind, error, trace)


sys.excepthook = _say_in_one_line
