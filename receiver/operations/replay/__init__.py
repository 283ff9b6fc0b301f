"""Judges kept deliveries anew, and rehearses what that would change."""
