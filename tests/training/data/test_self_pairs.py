import numpy as np
import pytest
import torch

from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView
from posexfer_core.transfer.inputs import warp_images
from training.data.photo_samples import RandomView, Shot
from training.data.self_pairs import self_pair
from training.synthetic.clothed_pairs import make_clothed_pair


@pytest.mark.slow
def test_a_photo_is_its_own_target_with_parts_hidden(body):
    row = make_clothed_pair(4, 1, body).row
    bodies = [
        HumanParams.single(
            pose=torch.from_numpy(row[f"{role}_pose"]),
            betas=torch.from_numpy(row["betas"]),
            transl=torch.from_numpy(np.asarray(row[f"{role}_transl"], np.float32)),
            intrinsics=torch.from_numpy(row["intrinsics"]),
            image_size=(256, 176),
        )
        for role in ("source", "target")
    ]
    image = torch.from_numpy(row["target"]).permute(2, 0, 1)[None] / 127.5 - 1.0
    mask = torch.from_numpy(row["target_coverage"])[None, None] / 255.0
    shot = Shot(image=image, params=bodies[1], mask=mask)
    source, target = self_pair(shot, bodies[0], body, (256, 176), RandomView())
    assert torch.equal(target.image, image)  # it holds both bodies: nothing is resized
    torch.testing.assert_close(source.params.pose[:, :, 1:], bodies[0].pose[:, :, 1:])
    torch.testing.assert_close(source.params.intrinsics, target.params.intrinsics)
    assert source.mask is not None and 0.02 < float(source.mask.mean()) < 0.5
    views = [BodyView.of(one.params, body) for one in (source, target)]
    back = warp_images(source.image, views[0], views[1], source.mask)[0]
    shown, person = back[3] > 0.5, back[5] > 0.5
    assert 0.05 < float(shown.sum() / person.sum()) < 0.95
    off = (back[:3] - target.image[0]).abs().mean(0)
    assert off[shown].mean() < 0.5 * off[person & ~shown].mean()  # what is shown comes back
