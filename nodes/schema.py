"""Node schemas, with their words, that older hosts understand too."""

import dataclasses
import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from comfy_api.latest import io

CATEGORY = "pose transfer"
WORDS = Path(__file__).parents[1] / "locales" / "en" / "nodeDefs.json"
"""Node id → name, description, and tooltips by input's id and output's number; the host's own
format of translations, read by its frontend too."""

_FIELDS = {field.name for field in dataclasses.fields(io.Schema)}


def schema(
    *, node_id: str, inputs: Sequence[io.Input], outputs: Sequence[io.Output], **fields: object
) -> io.Schema:
    """Build a schema with the words of `WORDS`.

    What this host does not know yet, such as search aliases, is left out. A widget with controls
    of its own has no tooltip, which would cover them.
    """
    words = _read_words()[node_id]
    for entry in inputs:
        entry.tooltip = words["inputs"][entry.id].get("tooltip")
    for number, output in enumerate(outputs):
        output.tooltip = words["outputs"][str(number)]["tooltip"]
    fields |= {"node_id": node_id, "category": CATEGORY, "inputs": inputs, "outputs": outputs}
    fields |= {name: words[name] for name in ("display_name", "description")}
    return io.Schema(**{name: value for name, value in fields.items() if name in _FIELDS})


def advanced(entry: io.Input) -> io.Input:
    """Mark an input that newer hosts fold away; older ones show it."""
    entry.extra_dict = {**entry.extra_dict, "advanced": True}
    return entry


@functools.cache
def _read_words() -> dict[str, Any]:
    return json.loads(WORDS.read_text(encoding="utf-8"))
