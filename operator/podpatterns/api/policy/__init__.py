"""The policies that the API server evaluates itself, generated from the table of kinds."""

from podpatterns.api.policy.partsinuse import parts_in_use

__all__ = ["parts_in_use"]
