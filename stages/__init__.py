"""One thin module per DVC stage: reads argv and params.yaml, calls the package, writes the outputs."""
