"""Shared types: deliveries, problems, faults, settings, limits, units, positions."""
