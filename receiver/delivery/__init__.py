"""The path of a delivery, from request body to files; `receive.py` shows it whole."""
