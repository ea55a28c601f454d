"""What can be trained: one task for each section of a TOML."""
