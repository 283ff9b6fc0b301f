"""The record formats: a folder each, with the same modules: escape, check, compare, draft."""
