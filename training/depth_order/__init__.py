"""Which limb is in front: twin poses with equal 2D joints, rendered, and how outputs are judged."""
