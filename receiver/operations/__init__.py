"""For operators: health, metrics, notices, reload, retention, replay, verify."""
