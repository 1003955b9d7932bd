"""podpatterns: SidecarApp, Ambassador and Adapter as real, well-kept Pods."""
