"""Side-by-side timings that print ratios, and measurements too long for the pipeline; never part of the tests."""

import stages  # noqa: F401 - Ctrl-C is one line here, too
