"""Reads and judges a process owner's mappings/<process>/process.toml."""
