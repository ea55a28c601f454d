"""What can go wrong with what a user brings; every message says what was found and what to do."""


class PoseXferError(Exception):
    """Base of every error that a user can cause and mend."""


class BodyFileError(PoseXferError):
    """A body model file is not one, is damaged, or would run code when read."""


class CheckpointError(PoseXferError):
    """A weights file holds something else than was asked for, or is damaged."""


class ConfigError(PoseXferError):
    """A setting is unknown, out of range, or contradicts another."""


class DetectorMissingError(ConfigError):
    """The optional detector of people is not installed, or its model file is not found."""


class KeypointsError(PoseXferError):
    """Keypoints are missing, in no known layout, or show no person."""


class ThreeLinesError(PoseXferError):
    """Says on a line each what was found, what was expected, and what to do."""

    def __init__(self, found: str, expected: str, advice: str) -> None:
        super().__init__("\n".join((found, expected, advice)))


class PersonNotFoundError(ThreeLinesError):
    """Nobody in an image can be used."""


class MeshError(PoseXferError):
    """A mesh file is damaged, points outside itself, or shows no body that can be recognised."""


class OutputError(PoseXferError):
    """A result cannot be written where it was asked for."""


class ParamsError(PoseXferError):
    """A body parameter file misses keys, has wrong shapes, or holds numbers that are not finite."""


class ImageError(PoseXferError):
    """A file is not an image, or not one that can be used."""


class UnknownFileError(ThreeLinesError, ParamsError):
    """A file is no body parameter file that is known."""


class UnknownKeypointsError(ThreeLinesError, KeypointsError):
    """A file or value holds no keypoints in a layout that is known."""
