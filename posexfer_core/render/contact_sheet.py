"""A contact sheet: labelled images in rows, on one page."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

PAPER, INK = "white", "#222222"
GAP, TEXT_HEIGHT, FONT_SIZE = 10, 22, 13


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One image with its words underneath."""

    image: Image.Image | None
    """RGB; None leaves the place empty."""
    label: str = ""


def contact_sheet(
    rows: Sequence[Sequence[Cell]], *, height: int = 256, title: str = ""
) -> Image.Image:
    """Lay out rows of images, all scaled to one height, columns aligned.

    Args:
        rows: of any lengths.
        height: of each image on the sheet, pixels.
        title: a line above everything.
    """
    scaled = [[_scaled(cell, height) for cell in row] for row in rows]
    columns = max(len(row) for row in scaled)
    widths = [max(row[i].width for row in scaled if i < len(row)) for i in range(columns)]
    above = 2 * TEXT_HEIGHT if title else GAP
    sheet = Image.new(
        "RGB",
        (sum(widths) + GAP * (columns + 1), above + len(rows) * (height + TEXT_HEIGHT + GAP)),
        PAPER,
    )
    draw = ImageDraw.Draw(sheet)
    draw.text((GAP, GAP), title, fill=INK, font=ImageFont.load_default(FONT_SIZE + 3))
    font = ImageFont.load_default(FONT_SIZE)
    for line, (row, images) in enumerate(zip(rows, scaled, strict=True)):
        left, top = GAP, above + line * (height + TEXT_HEIGHT + GAP)
        for cell, image, width in zip(row, images, widths, strict=False):
            sheet.paste(image, (left + (width - image.width) // 2, top))
            middle = left + width / 2
            draw.text((middle, top + height + 4), cell.label, fill=INK, font=font, anchor="ma")
            left += width + GAP
    return sheet


def _scaled(cell: Cell, height: int) -> Image.Image:
    if cell.image is None:
        return Image.new("RGB", (1, height), PAPER)
    width = max(1, round(cell.image.width * height / cell.image.height))
    return cell.image.resize((width, height), Image.Resampling.LANCZOS)
