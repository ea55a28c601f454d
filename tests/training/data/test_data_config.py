import tomllib

import pytest

from posexfer_core.errors import ConfigError
from training.data.data_config import read_data_config


def read(text: str):
    return read_data_config(tomllib.loads(text), "run.toml")


def test_sources_are_read_with_their_defaults():
    config = read("[data]\nflip = 0.5\n[[source]]\nkind = 'folder'\nroot = 'photos'\n")
    assert config is not None and config.size == (256, 176) and config.flip == 0.5
    assert config.sources[0].folder == "folder" and config.sources[0].weight == 1.0
    assert read("[run]\nseed = 1\n") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[data]\nflip = 0.5\n", "add a"),
        ("[source]\nkind = 'folder'\n", "two brackets"),
        ("[[source]]\nkind = 'coco'\nroot = 'x'\n", "kind is 'coco'"),
        ("[[source]]\nkind = 'folder'\n", "needs a root"),
        ("[[source]]\nkind = 'synthetic'\nroot = 'x'\n", "no root"),
        ("[[source]]\nkind = 'synthetic'\n", "count=0"),
        ("[[source]]\nkind = 'synthetic'\npeople = 'few'\ncount = 1\n", "people is 'few'"),
        ("[[source]]\nkind = 'folder'\nroot = 'x'\nweight = 0.0\n", "weight=0.0"),
        ("[[source]]\nkind = 'folder'\nroot = 'x'\nspeed = 3\n", "speed"),
        ("[data]\nheight = 250\n[[source]]\nkind = 'folder'\nroot = 'x'\n", "multiples of 8"),
        ("[data]\ncrop = 1.0\n[[source]]\nkind = 'folder'\nroot = 'x'\n", "crop=1.0"),
        ("[[source]]\nkind = 'folder'\nroot = 'x'\n" * 2, "names must differ"),
    ],
)
def test_what_makes_no_samples_is_a_sentence(text, words):
    with pytest.raises(ConfigError, match=words):
        read(text)
