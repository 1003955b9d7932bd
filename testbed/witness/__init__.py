"""A witness of what must always be true: it only watches, and tells what broke which rule, and how it came.

Two sources, both outside the operator: watches of Pods and of our kinds, and the API server's audit log,
which alone knows who asked for what. The judgement is pure and apart from the watching: `Invariants` judges
changes in the order in which the API server made them, `requests` judges what the operator asked for.
"""

from testbed.witness.barrier import Barrier
from testbed.witness.violation import Violation
from testbed.witness.witness import Witness

__all__ = ["Barrier", "Violation", "Witness"]
