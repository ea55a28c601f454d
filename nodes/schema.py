"""Node schemas that older hosts understand too."""

import dataclasses

from comfy_api.latest import io

CATEGORY = "pose transfer"

_FIELDS = {field.name for field in dataclasses.fields(io.Schema)}


def schema(**fields: object) -> io.Schema:
    """Build a schema, leaving out what this host does not know yet, such as search aliases."""
    fields.setdefault("category", CATEGORY)
    return io.Schema(**{name: value for name, value in fields.items() if name in _FIELDS})


def advanced(entry: io.Input) -> io.Input:
    """Mark an input that newer hosts fold away; older ones show it."""
    entry.extra_dict = {**entry.extra_dict, "advanced": True}
    return entry
