"""Scores on DeepFashion In-shop, 256x176, 8,570 test pairs, as the poster tables them.

They were computed as `legacy` computes them, or nearly so: papers print each other's numbers, and
DPTN, PIDM and the baseline fit SSIM with a Gaussian window (SSIM_256) better than the other.
"""

from typing import NamedTuple


class Published(NamedTuple):
    """One row of the poster's table; None where it has no number."""

    method: str
    venue: str
    fid: float
    lpips: float
    ssim: float
    psnr: float | None


POSTER = (
    Published("PATN", "CVPR 2019", 20.728, 0.2533, 0.6714, None),
    Published("ADGAN", "CVPR 2020", 14.540, 0.2255, 0.6735, None),
    Published("GFLA", "CVPR 2020", 9.827, 0.1878, 0.7082, None),
    Published("PISE", "CVPR 2021", 11.518, 0.2244, 0.6537, None),
    Published("DPTN", "CVPR 2022", 17.419, 0.2093, 0.6975, 17.811),
    Published("NTED", "CVPR 2022", 8.517, 0.1770, 0.7156, 17.740),
    Published("CASD", "ECCV 2022", 13.137, 0.1781, 0.7224, 17.880),
    Published("PIDM", "CVPR 2023", 6.812, 0.2006, 0.6621, 15.630),
    Published("PoCoLD", "ICCV 2023", 8.067, 0.1642, 0.7310, None),
    Published("CFLD", "CVPR 2024", 6.804, 0.1519, 0.7378, 18.235),
    Published("CFLD, the poster's own run", "CVPR 2024", 6.713, 0.1704, 0.7235, 17.626),
    Published("the poster", "", 7.110, 0.1582, 0.7201, 17.702),
)
