"""How close an image is to the one wanted."""
