"""The disk and the ledger: nothing lost, nothing twice. `publish.py` tells every legal state."""
