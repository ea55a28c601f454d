from posexfer_core.body.model import BodyModel
from posexfer_core.body.params import HumanParams
from posexfer_core.body.view import BodyView
from posexfer_core.files.images import load_image
from posexfer_core.pose_networks.regressor import regress_body
from posexfer_core.pose_networks.weights import REGRESSOR
from training.metrics.joints import aligned_error_m

DEMO = REGRESSOR.bundled.parent / "demo"


def test_the_bundled_weights_are_small_and_tell_how_they_were_made():
    network, recipe = REGRESSOR.load()
    assert REGRESSOR.bundled.stat().st_size <= 3_000_000
    assert sum(file.stat().st_size for file in REGRESSOR.bundled.parent.glob("*.safetensors")) < (
        64_000_000
    )
    assert recipe["config"]["run"]["data"] and recipe["pairs"] == 16384
    assert recipe["scores"]["regress alone"]["pa_mpjpe_mm"] < 80.0
    assert network.config.height > 0


def test_the_bundled_network_finds_where_a_synthetic_person_is():
    """The demo's source image, of which the body is known."""
    body = BodyModel.bundled()
    reading = regress_body(load_image(DEMO / "source.png")[0], body=body)
    true = BodyView.of(HumanParams.load(DEMO / "source.npz"), body).joints
    found = BodyView.of(reading.params, body).joints
    assert float(aligned_error_m(found, true)) < 0.12
