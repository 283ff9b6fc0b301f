"""The path of a delivery, from body to files; `receive.py` shows it whole."""
