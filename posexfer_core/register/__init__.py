"""Bodies found in meshes."""
