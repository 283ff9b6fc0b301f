"""What may come in and what must go out: JSON Schemas and XSDs, compiled once, safe to run on anything."""
