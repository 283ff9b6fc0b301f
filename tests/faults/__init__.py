"""Seeded faults: one edit of a sound process each, and the code and line at which `check` must tell it."""
