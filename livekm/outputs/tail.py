"""Repair text that could not be written to its end."""

from __future__ import annotations

from pathlib import Path


def cut_last_line(path: Path) -> int:
    r"""Cut off what follows the last line that is whole; return how many bytes are left.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "table.csv")
    ...     _ = path.write_bytes(b"frame,time\n0,0.0\n1,0.")
    ...     _ = cut_last_line(path)
    ...     path.read_bytes()
    b'frame,time\n0,0.0\n'
    """
    with path.open("r+b") as file:
        end = file.seek(0, 2)
        while end:
            start = max(0, end - 65536)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        file.truncate(end)
    return end
