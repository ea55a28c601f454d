"""Synthetic people: random bodies in random clothes, poses, light and places."""
