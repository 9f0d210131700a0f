"""The command ``livekm``: options, what they ask for, exit codes. The only room that prints."""

from livekm.cli.main import main

__all__ = ["main"]
