"""Real pixels carried along the surface of the body."""
