"""Parameter files of other tools."""
