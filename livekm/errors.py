"""Exceptions for failures outside the program, each with a message that a user can act on."""

import re

_CONTROL = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029]")


def printable(text: str) -> str:
    r"""Return a text with its control characters escaped, so that it stays one line.

    Names of files may hold line breaks and codes that move a terminal's cursor.

    Examples
    --------
    >>> print(printable("a\nlivekm: done\x1b[2J"))
    a\nlivekm: done\x1b[2J
    """
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


class LivekmError(Exception):
    """Base of the failures of devices, files and displays.

    The message is one line: what failed, where, and what to do about it. Mistakes in the
    arguments of a call raise `UsageError`, which is a `ValueError`, or `TypeError` instead.
    """


class UsageError(ValueError):
    """What was asked for makes no sense: an option of the command, a parameter of a call.

    The message is one line, as that of `LivekmError`.
    """


class SourceError(LivekmError, OSError):
    """Frames cannot be read: the camera, clip or image is missing, busy, empty or damaged."""


class SinkError(LivekmError, OSError):
    """Frames cannot be shown or written: no display, no folder, no permission, no space."""


class ReaderGoneError(SinkError):
    """The program that read livekm's output has ended, which is its right."""


class ImageSizeError(ValueError):
    """An image has another size than the first one, and the output holds one size.

    Parameters
    ----------
    index : int
        The image's number in the source, as of `Frame.index`.
    shape, first : tuple of int
        Shapes of the image and of the first one, (H, W, ...).

    Attributes
    ----------
    index : int
    """

    def __init__(self, index: int, shape: tuple[int, ...], first: tuple[int, ...]) -> None:
        super().__init__(
            f"{shape[1]}x{shape[0]} pixels, unlike the {first[1]}x{first[0]} of the first image; "
            "a video has one size: write images (out/%06d.png), and labels to a folder or .npz"
        )
        self.index = index
