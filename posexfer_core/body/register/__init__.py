"""Fits the body to a mesh of any topology, and makes a posable body of the mesh."""
