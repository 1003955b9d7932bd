"""Faults between the operator and the API server, decided by a seed.

Only what can happen in a correct cluster: the network and the server may be slow, refuse, fall silent, end
connections and lose answers; they don't invent objects, turn the order of a stream around or answer a
consistent read from the past. All lists of the operator are consistent reads (no resourceVersion is asked
for): what is in them was true at some moment after the request. They are old all the same when they arrive
late, and their further pages are of the first one's moment. A cache that is behind comes from watch events
that are held back, each stream for itself, so that streams overtake one another and the answers to writes.
"""

from testbed.faults.faults import Decisions, Fault, Faults, StreamFault
from testbed.faults.proxy import Proxy
from testbed.faults.route import Route

__all__ = ["Decisions", "Fault", "Faults", "Proxy", "Route", "StreamFault"]
