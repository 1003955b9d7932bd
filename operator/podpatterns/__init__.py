"""podpatterns: SidecarApp, Ambassador and Adapter as real, well-kept Pods."""

from importlib.metadata import version

__version__ = version("podpatterns")
