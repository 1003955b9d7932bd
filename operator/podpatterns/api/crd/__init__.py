"""The CustomResourceDefinitions, generated from the models.

Not for the operator at run time: the client's models of Kubernetes' own types take long to import.
"""

from podpatterns.api.crd.definition import definitions

__all__ = ["definitions"]
