"""The sub-commands of `posexfer`, one per file: `HELP`, `add_options` and `run`."""
