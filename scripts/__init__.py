"""What the Makefile calls, and what the documents, the tests and the benchmarks share with it."""

import stages  # noqa: F401 - Ctrl-C and a full disk are one line here, too
