"""What ComfyUI sees: one node per file, and the few places that talk to the host."""
