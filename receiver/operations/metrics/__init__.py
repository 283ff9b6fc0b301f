"""What the service counts, for Prometheus: one sum over all workers, also over those that are gone."""
