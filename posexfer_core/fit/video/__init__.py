"""Fits over the frames of a video, smoothed over time."""
