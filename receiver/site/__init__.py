"""schemas/ and mappings/ as they are read: process.toml, the compiled process, and what is in force."""
