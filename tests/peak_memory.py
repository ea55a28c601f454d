"""The most memory that this process ever held."""

import sys

import psutil


def peak_bytes() -> int:
    """Ask the operating system; bytes."""
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
