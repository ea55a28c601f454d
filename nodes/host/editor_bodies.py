"""The bodies that the page's editor shows: packed, remembered, and asked for by a query."""

import hashlib
from collections import OrderedDict
from urllib.parse import parse_qsl

import torch
from torch import Tensor

from ...posexfer_core.body.model import BodyModel
from ...posexfer_core.body.pose_document import CAMERA, STANDING
from ...posexfer_core.conventions import BETA_COUNT
from ...posexfer_core.export.editor_body import pack_editor_body
from ...posexfer_core.files.json_fields import LARGEST, refusal
from ...posexfer_core.fit.pose_prior import soft_limits
from ..sockets import PosedBody

MOST_REMEMBERED = 64
ADVICE = "Run the workflow again, so that the editor learns which body it shows."

_remembered: OrderedDict[str, bytes] = OrderedDict()


def body_query(body: PosedBody) -> str:
    """Name the first frame's body for `find_editor_body`; what no number can name is remembered.

    The bundled body is named by its betas, and is there after a restart too.
    """
    betas = body.params.betas[0, 0]
    if _is_bundled(body.model):
        if not betas.any():
            return ""
        return "betas=" + ",".join(f"{beta:.6g}" for beta in betas.tolist())
    hands_face = body.params.hands_face
    expression = None if hands_face is None else hands_face.expression[0, 0]
    packed = _pack(body.model, betas, expression)
    key = hashlib.sha256(packed).hexdigest()[:32]
    _remembered[key] = packed
    _remembered.move_to_end(key)
    while len(_remembered) > MOST_REMEMBERED:
        _remembered.popitem(last=False)
    return f"key={key}"


def find_editor_body(query: str) -> bytes:
    """Pack the body that a query names; the bundled one of mean shape where it is empty.

    Raises:
        ParamsError: the query is none of `body_query`'s, or its body is forgotten.
    """
    fields = dict(parse_qsl(query, keep_blank_values=True))
    if fields.keys() == {"key"}:
        packed = _remembered.get(fields["key"])
        if packed is None:
            raise refusal(
                "Found no body of this key.", "Expected one of the last runs' bodies.", ADVICE
            )
        return packed
    if fields and fields.keys() != {"betas"}:
        raise refusal(
            f"Found {', '.join(fields)[:80]} in the query.", "Expected key, or betas.", ADVICE
        )
    betas = _read_betas(fields["betas"]) if fields else [0.0] * BETA_COUNT
    return _pack(BodyModel.bundled(), torch.tensor(betas))


def _read_betas(text: str) -> list[float]:
    try:
        betas = [float(part) for part in text.split(",")]
        if len(betas) == BETA_COUNT and all(abs(beta) <= LARGEST for beta in betas):
            return betas
    except ValueError:
        pass
    raise refusal(f"Found betas {text[:80]!r}.", f"Expected {BETA_COUNT} numbers.", ADVICE)


def _is_bundled(model: BodyModel) -> bool:
    bundled = BodyModel.bundled()
    return type(model) is BodyModel and torch.equal(model.v_template.cpu(), bundled.v_template)


def _pack(model: BodyModel, betas: Tensor, expression: Tensor | None = None) -> bytes:
    return pack_editor_body(
        model,
        betas,
        expression,
        limits=soft_limits(),
        standing=STANDING,
        camera=CAMERA.as_dict(),
    )
