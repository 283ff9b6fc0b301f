"""The metadata of a delivery: parsed, judged by its schema, read into fields."""
