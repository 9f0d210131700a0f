"""Exceptions for failures outside the program, each with a message that a user can act on."""


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


class NameTakenError(SinkError):
    """An output is complete, but under another name: its own was given away while it was written.

    It is no reason to give up what is written beside it.
    """
