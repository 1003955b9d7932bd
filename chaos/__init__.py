"""Random scenarios under faults, watched by the witness: `make chaos SEEDS=100`."""
