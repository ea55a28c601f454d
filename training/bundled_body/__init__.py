"""Builds the bundled body from nothing but the numbers in these files (extra `build`)."""
