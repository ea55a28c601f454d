"""Parametric bodies: shape, pose, files, and what they look like from a camera."""
