"""What a delivery's metadata says: parsed, judged by its schema, read into fields."""
