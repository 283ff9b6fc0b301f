"""Schemas out of samples: of the metadata's document, and of the fields. They hold forms, never values."""
