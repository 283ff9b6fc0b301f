"""Reads schemas/ and mappings/: process.toml, compiled processes, what is in force."""
