"""Side-by-side timings that print ratios; never part of the tests."""

import stages  # noqa: F401 - Ctrl-C is one line here, too
