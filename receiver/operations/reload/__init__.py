"""Brings an edit of the running site into force: within five seconds, proven, and without a restart."""
