"""Drafts a working process from samples of what the platform sends."""
