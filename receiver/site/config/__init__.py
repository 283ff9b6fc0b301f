"""The configuration that a process owner writes: mappings/<process>/process.toml, read and judged."""
