"""Random scenarios under faults, with the witness looking on: `make chaos SEEDS=100`."""
