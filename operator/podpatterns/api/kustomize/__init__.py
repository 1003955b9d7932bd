"""What Kustomize has to know about the kinds, generated from the schemas of their CRDs.

Not for the operator at run time: the client's models of Kubernetes' own types take long to import.
"""

from podpatterns.api.kustomize.configuration import configuration
from podpatterns.api.kustomize.schema import schema

__all__ = ["configuration", "schema"]
