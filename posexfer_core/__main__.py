"""`python -m posexfer_core` is the command `posexfer`."""

import sys

from .cli import main

sys.exit(main())
