"""What must hold in speed and endurance, one module a row: `make bench`, or `python -m benchmarks --rows "2 9"`."""
