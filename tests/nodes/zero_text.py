"""A node that stands in for the text encoders of large models: their size is fixed."""

from pathlib import Path

ZERO_TEXT = "TestZeroText"
NODE = f'''
"""A text encoder whose tokens are zeros."""

import torch


class Zeros:
    def __init__(self, width, pooled):
        self.width, self.pooled = width, pooled

    def tokenize(self, text, **kwargs):
        return {{}}

    def encode_from_tokens_scheduled(self, tokens):
        pooled = torch.zeros(1, self.pooled)
        return [[torch.zeros(1, 8, self.width), {{"pooled_output": pooled}}]]


class {ZERO_TEXT}:
    CATEGORY, FUNCTION, RETURN_TYPES = "test", "load", ("CLIP",)

    @classmethod
    def INPUT_TYPES(cls):
        size = ("INT", {{"max": 8192}})
        return {{"required": {{"width": size, "pooled": size}}}}

    def load(self, width, pooled):
        return (Zeros(width, pooled),)


NODE_CLASS_MAPPINGS = {{"{ZERO_TEXT}": {ZERO_TEXT}}}
'''


def write_zero_text(base: Path) -> None:
    """Give a server, before it starts, the node whose text encoder knows no words."""
    (base / "custom_nodes").mkdir(parents=True, exist_ok=True)
    (base / "custom_nodes" / "zero_text.py").write_text(NODE)
