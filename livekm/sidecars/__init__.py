"""What is written of each frame beside its picture: labels."""

from livekm.sidecars.base import Sidecar
from livekm.sidecars.label_files import LABEL_FILES, open_labels

__all__ = ["LABEL_FILES", "Sidecar", "open_labels"]
