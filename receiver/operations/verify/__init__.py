"""Proves that the ledger and the disk agree."""
