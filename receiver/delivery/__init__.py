"""The path of a delivery, from the body of a request to its files: `receive.py` has it on one page."""
