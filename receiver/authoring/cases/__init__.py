"""Runs deliveries offline, and compares sample cases with what is expected."""
