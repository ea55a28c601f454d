"""Rotations, cameras, surfaces and their rasterisation."""
