import torch

from posexfer_core.body.model import BodyModel
from posexfer_core.body.view import BodyView
from posexfer_core.register.resample_topology import on_topology_of, same_topology
from tests.posexfer_core.body.sample_params import facing_params


def subdivided(body: BodyModel) -> BodyModel:
    """The same body with a vertex in the middle of every face."""
    corners = body.faces
    middle = len(body.v_template) + torch.arange(len(corners))
    fans = [torch.stack([corners[:, i], corners[:, (i + 1) % 3], middle], dim=1) for i in range(3)]

    def grown(values: torch.Tensor) -> torch.Tensor:
        return torch.cat([values, values[corners].mean(dim=1)])

    regressor = torch.cat([body.joint_regressor, torch.zeros(24, len(corners))], dim=1)
    return BodyModel(
        v_template=grown(body.v_template),
        faces=torch.cat(fans),
        shapedirs=grown(body.shapedirs),
        posedirs=None,
        joint_regressor=regressor,
        skin_weights=grown(body.skin_weights),
        keypoint_vertices=body.keypoint_vertices,
        beta_space=body.beta_space,
        canonical=grown(body.canonical),
    )


def test_views_of_one_topology_stay_as_they_are(body: BodyModel):
    view = BodyView.of(facing_params(), body)
    assert same_topology(view, view)
    assert on_topology_of(view, view) is view


def test_a_body_wears_the_vertices_of_another_topology(body: BodyModel):
    params = facing_params(joint_18=(0.0, -1.2, 0.0))
    coarse, fine = BodyView.of(params, body), BodyView.of(params, subdivided(body))
    assert not same_topology(coarse, fine)
    worn = on_topology_of(coarse, fine)
    assert worn.faces.shape == fine.faces.shape
    gaps = (worn.vertices - fine.vertices).norm(dim=-1)
    assert float(gaps.quantile(0.99)) < 0.002
    assert float(gaps.mean()) < 5e-4
    torch.testing.assert_close(worn.joints, coarse.joints)
    assert torch.equal(worn.parts, fine.parts)


def test_the_posed_body_not_the_rest_body_is_carried(body: BodyModel):
    bent = BodyView.of(facing_params(joint_1=(-1.0, 0.0, 0.0)), body)
    straight = BodyView.of(facing_params(), subdivided(body))
    worn = on_topology_of(bent, straight)
    same = worn.vertices[0, : len(body.v_template)] - bent.vertices[0]
    assert float(same.norm(dim=-1).quantile(0.99)) < 0.002
