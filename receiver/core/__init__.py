"""What everybody speaks of: delivery types, problems, faults, settings, limits, units, positions."""
