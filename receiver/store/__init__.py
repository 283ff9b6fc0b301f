"""The disk and the ledger: nothing lost, nothing twice. See `publish.py`."""
