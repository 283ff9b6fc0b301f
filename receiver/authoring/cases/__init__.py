"""Runs deliveries offline, as the service would, and proves sample cases against what they are to become."""
