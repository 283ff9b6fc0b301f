"""gunicorn as `receiver serve` starts it."""
