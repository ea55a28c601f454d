"""The sub-commands of `posexfer`, one per file: `HELP`, `add_options` and `run`."""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch is loaded, which is later
