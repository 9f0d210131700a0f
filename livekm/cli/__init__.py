"""The command ``livekm``: options, what they ask for, exit codes. The only room that prints."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None, *, is_served: bool = False) -> int:
    """Run the command line; return the exit code.

    Import everything else first, which takes a second, may be interrupted, and fails where a
    library cannot be loaded.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; those of the process by default.
    is_served : bool, default False
        Whether a livekm process that started this one sends further command lines.
    """
    words = sys.argv[1:] if arguments is None else arguments
    try:
        from livekm.channel import is_work_left
        from livekm.cli.command import run, run_all
    except KeyboardInterrupt:
        return 130
    except ImportError as error:
        from livekm.cli.libraries import advice

        if sys.stderr is not None:
            if "-v" in words or "--verbose" in words:
                sys.excepthook(type(error), error, error.__traceback__)
            print(f"livekm: {advice(error)}", file=sys.stderr)
        return 1
    code = run_all(words) if is_served else run(words)
    if arguments is None and is_work_left():
        # A read of a network stream that stalls blocks in C, where Python's end would wait for it.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code
