"""What detectors write of people in images: keypoints, 3D joints, masks; tracking."""
