"""What the Makefile calls."""

import stages  # noqa: F401 - Ctrl-C is one line here, too
