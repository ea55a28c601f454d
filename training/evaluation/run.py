"""The work on a test set, pair by pair: what is drawn and scored is kept, so that it goes on."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor
from tqdm import tqdm

from posexfer_core.body.model import BodyModel
from posexfer_core.errors import ConfigError
from posexfer_core.files.atomic import make_folder, write_whole
from posexfer_core.files.images import load_image, save_image

from ..data.shards import ShardDataset
from ..processes import Part
from .methods import Batch, Draw
from .scoring import Judges


@dataclass(frozen=True, kw_only=True)
class Results:
    """A folder of drawn images and of scores, a line a pair."""

    folder: Path
    settings: dict[str, object]
    """What the results are of; a folder of others is refused."""

    def open(self) -> None:
        """Make the folder, or check what is there.

        Raises:
            ConfigError: it holds results of other settings.
        """
        make_folder(self.folder)
        note = self.folder / "settings.json"
        if not note.exists():
            write_whole(note, json.dumps(self.settings, indent=1).encode())
            return
        found = json.loads(note.read_text())
        if other := [name for name, value in self.settings.items() if found.get(name) != value]:
            raise ConfigError(
                f"{self.folder} holds results of another run: {', '.join(other)} differ.\n"
                f"Expected {', '.join(f'{name}={self.settings[name]}' for name in other)}.\n"
                "Name another folder by --out, or remove this one."
            )

    def image(self, method: str, index: int) -> Path:
        """Name the file of a drawn image."""
        return self.folder / "drawn" / method.replace(", ", "-").replace(" ", "_") / f"{index}.png"

    def read(self) -> dict[int, dict[str, dict[str, float]]]:
        """Read the scores of all pairs that are done, whichever part did them."""
        done = {}
        for path in sorted(self.folder.glob("pairs-*.jsonl")):
            for line in path.read_text().splitlines():
                try:
                    entry = json.loads(line)
                except ValueError:  # the last line of a run that was cut off
                    continue
                done[entry["pair"]] = entry["scores"]
        return done

    def images(
        self, method: str, indices: Sequence[int], size: int = 32
    ) -> Iterator[Float[Tensor, "batch 3 height width"]]:
        """Read drawn images in batches, in [0, 1]."""
        for first in range(0, len(indices), size):
            paths = [self.image(method, index) for index in indices[first : first + size]]
            yield (torch.cat([load_image(path) for path in paths]) + 1.0) / 2.0


@torch.no_grad()
def draw_and_score(
    data: ShardDataset,
    methods: Mapping[str, Draw],
    judges: Judges,
    results: Results,
    *,
    count: int,
    batch_size: int,
    part: Part,
    device: torch.device,
) -> None:
    """Draw and score the pairs of a part that are not done yet.

    Args:
        data: the test pairs.
        methods: ways to draw, by name.
        judges: of what is drawn.
        results: where everything is kept.
        count: pairs, from the first.
        batch_size: pairs drawn at once.
        part: which of them.
        device: where the model is.
    """
    body = BodyModel.bundled()
    for method in methods:
        results.image(method, 0).parent.mkdir(parents=True, exist_ok=True)
    done = results.read()
    todo = [index for index in range(count) if part.has(index) and index not in done]
    path = results.folder / f"pairs-{part.number + 1}-of-{part.of}.jsonl"
    _end_last_line(path)
    with path.open("a") as file, tqdm(total=len(todo), desc="pairs", disable=not todo) as bar:
        for first in range(0, len(todo), batch_size):
            batch = Batch(data, todo[first : first + batch_size], body, device)
            rows: list[dict[str, dict[str, float]]] = [{} for _ in batch.indices]
            for method, draw in methods.items():
                drawn = draw(batch)
                for row, index in enumerate(batch.indices):
                    image = results.image(method, index)
                    save_image(drawn[[row]].float().cpu(), image)
                    rows[row][method] = judges.scores(
                        load_image(image)[0],
                        batch.target_image[row].cpu(),
                        batch.shown[row].cpu(),
                        batch.hidden[row].cpu(),
                    )
            for index, scores in zip(batch.indices, rows, strict=True):
                file.write(json.dumps({"pair": index, "scores": scores}) + "\n")
            file.flush()
            bar.update(len(batch))


def _end_last_line(path: Path) -> None:
    """Part a line that was cut off from the next one."""
    if path.exists() and not path.read_bytes().endswith(b"\n"):
        with path.open("a") as file:
            file.write("\n")
