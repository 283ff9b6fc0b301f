"""JSON Schemas and XSDs: compiled once, and safe to run on any input."""
