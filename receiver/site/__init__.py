"""Reads schemas/ and mappings/: process.toml, compiled, and what is in force."""
