"""Removes what its process keeps no longer."""
