"""Bodies written as BVH and GLB."""
