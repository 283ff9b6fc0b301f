"""Drafts a working process out of what the platform sends: reads samples, and writes what a process owner would."""
