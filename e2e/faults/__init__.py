"""What goes wrong between the operator and the API server, decided by a seed.

Only what can happen in a correct cluster: the network and the server may be slow, refuse, end connections
and lose answers; they don't invent objects, turn the order of a stream around or answer a consistent read
from the past. The operator's lists are all consistent reads, so that there is no stale list to serve; a cache
that is behind comes from watch events that are held back.
"""

from e2e.faults.faults import Faults
from e2e.faults.proxy import Proxy

__all__ = ["Faults", "Proxy"]
