"""All pairs of a test set drawn, scored and tabled."""
