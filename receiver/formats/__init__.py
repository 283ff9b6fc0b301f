"""The record formats, a folder each: escape, check, compare, draft."""
