"""Side-by-side timings that print ratios; never part of the tests."""
