from PIL import Image

from posexfer_core.render.contact_sheet import Cell, contact_sheet


def test_rows_of_any_length_are_laid_out_without_stretching():
    red, blue = Image.new("RGB", (20, 40), "red"), Image.new("RGB", (60, 40), "blue")
    sheet = contact_sheet(
        [[Cell(image=red, label="one"), Cell(image=blue)], [Cell(image=None)]], height=80
    )
    assert sheet.width == 40 + 120 + 3 * 10
    colours = sheet.getcolors(sheet.width * sheet.height)
    assert colours is not None
    counts = {colour: count for count, colour in colours}
    assert counts[(255, 0, 0)] == 40 * 80
    assert counts[(0, 0, 255)] == 120 * 80
