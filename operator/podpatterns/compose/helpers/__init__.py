"""The helpers that the operator composes: the container of each, and its configuration."""
