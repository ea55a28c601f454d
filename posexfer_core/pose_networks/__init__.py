"""Small networks that estimate poses: from keypoints, and from the image alone."""
