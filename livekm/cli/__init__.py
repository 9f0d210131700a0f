"""The command ``livekm``: options, what they ask for, exit codes. The only room that prints."""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; those of the process by default.
    """
    from livekm.cli.command import run

    return run(arguments)
