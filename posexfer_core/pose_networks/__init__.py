"""The pose lifter, keypoints to space, and the HMR-style regressor, image to body."""
