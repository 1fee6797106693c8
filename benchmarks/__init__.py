"""Side-by-side timings that print ratios, and measurements too long for the pipeline; never part of the tests."""

import stages  # noqa: F401 - Ctrl-C and a full disk are one line here, too
