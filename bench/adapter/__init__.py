"""The metrics adapter beside mtail and statsd_exporter, doing the same work."""
