import pytest
import torch

from posexfer_core.body.view import BodyView
from posexfer_core.warp.warp_to_pose import pose_source, prepare_source


class Cancelled(Exception):
    pass


def test_long_work_tells_of_its_steps_and_ends_where_it_is_told(posed):
    view: BodyView = posed()
    image, steps = torch.zeros(1, 3, *view.size), []
    prepared = prepare_source(image, view, progress=lambda: steps.append("prepare"))
    assert len(steps) > 10
    pose_source(prepared, view, progress=lambda: steps.append("pose"))
    assert steps[-1] == "pose"

    def cancel():
        raise Cancelled

    with pytest.raises(Cancelled):
        prepare_source(image, view, progress=cancel)
