"""What an operator needs: health, metrics, notices, reload, retention, replay, verification."""
