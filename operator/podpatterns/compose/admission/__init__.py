"""The rules about one object in CEL, for the API server to judge at the door.

`compose/rules` says the same once more after an object was taken: of objects that were stored before, where
the policies are not installed, and with the parts. No rule here refuses what compose accepts.
"""

from podpatterns.compose.admission.policy import advice, composable

__all__ = ["advice", "composable"]
