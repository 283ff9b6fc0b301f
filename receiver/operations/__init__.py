"""For operators: health, metrics, notices, reload, retention, replay, verification."""
