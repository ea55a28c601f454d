"""Where the parts of a base model are: a diffusers folder or one checkpoint, and what is beside."""

from dataclasses import dataclass
from pathlib import Path

from ..errors import CheckpointError


@dataclass(frozen=True, kw_only=True)
class BaseFiles:
    """A frozen model of the SD 1.5 or SDXL family; each part is a local folder or file.

    Relative paths start at the working folder. Nothing is downloaded.
    """

    model: Path
    """A folder in diffusers' layout (unet, vae, text_encoder, ...) or a single-file checkpoint."""
    vae: Path | None = None
    """Another VAE: a folder of diffusers or a single file."""
    text_encoder: Path | None = None
    """A folder with the text encoders (text_encoder, text_encoder_2) where `model` has none."""
    image_encoder: Path | None = None
    """CLIP's vision model, a folder of transformers; `image_encoder` in `model` when left out."""

    def __post_init__(self) -> None:
        """Refuse paths that lead nowhere.

        Raises:
            CheckpointError: there is no such file or folder.
        """
        for name in ("model", "vae", "text_encoder", "image_encoder"):
            path: Path | None = getattr(self, name)
            if path is not None and not path.exists():
                raise CheckpointError(
                    f"[base] {name}: there is nothing at {path}.\n"
                    "Expected a folder of diffusers or transformers, or a .safetensors checkpoint; "
                    "nothing is downloaded.\n"
                    "Correct the path, or bring the files there first."
                )

    def part(self, name: str) -> Path | None:
        """Find a part's own folder: the one named for it, or that of diffusers' layout."""
        folders = {
            "vae": (self.vae, self.model / name),
            "image_encoder": (self.image_encoder, self.model / name),
            "text_encoder": (self.text_encoder and self.text_encoder / name, self.model / name),
            "text_encoder_2": (self.text_encoder and self.text_encoder / name, self.model / name),
        }.get(name, (None, self.model / name))
        return next((path for path in folders if path is not None and path.exists()), None)


def missing_part(files: BaseFiles, part: str, expected: str, advice: str) -> CheckpointError:
    """Say on a line each what is missing where, what was expected, and what to do."""
    kind = "the folder" if files.model.is_dir() else "the checkpoint"
    return CheckpointError(f"No {part} in {kind} {files.model}.\nExpected {expected}.\n{advice}")
