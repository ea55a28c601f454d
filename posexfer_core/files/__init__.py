"""Containers that are safe to open, whatever is in them, and files written whole."""
