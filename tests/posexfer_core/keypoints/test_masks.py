"""Masks of people, cut around them."""

import numpy as np

from posexfer_core.keypoints.masks import window


def test_a_window_holds_mask_and_keypoints_with_a_tenth_around():
    mask = np.zeros((60, 80), bool)
    mask[10, 30], mask[40, 50] = True, True
    corner, cut = window(mask, np.array([[60.5, 20.0]]))
    assert corner.tolist() == [27, 7]  # 30.5 and 10.5, less a tenth of 30 pixels
    assert cut.shape == (44 - 7, 64 - 27)  # 40.5 and 60.5, and as much
    assert cut[10 - 7, 30 - 27]
    assert cut.sum() == 2
