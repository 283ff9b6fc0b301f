"""JSON (RFC 8259)."""
