"""Say what to install where a library cannot be loaded. Import nothing that may be missing."""

from __future__ import annotations

import shutil

_INSTALLERS = {
    "apt-get": "apt-get install libgl1 libglib2.0-0",
    "dnf": "dnf install mesa-libGL glib2",
    "zypper": "zypper install Mesa-libGL1 libglib-2_0-0",
    "pacman": "pacman -S libglvnd glib2",
    "apk": "apk add mesa-gl glib",
}
"""The installer of a system -> the command that installs what OpenCV's window needs."""

_HEADLESS = "pip uninstall -y opencv-python && pip install opencv-python-headless"


def advice(error: ImportError) -> str:
    """Return one line about what cannot be loaded, and the commands that mend it."""
    reason = " ".join(str(error).split())
    if error.name == "cv2" and isinstance(error, ModuleNotFoundError):
        return "OpenCV is missing: pip install opencv-python"
    if ".so" in reason and _is_of_opencv(error):
        found = next((text for name, text in _INSTALLERS.items() if shutil.which(name)), "")
        system = f"{found}, or" if found else "install that library, or"
        return f"OpenCV cannot be loaded ({reason}): {system}, without the window, {_HEADLESS}"
    return f"a library cannot be loaded ({reason}); install livekm again: pip install livekm"


def _is_of_opencv(error: ImportError) -> bool:
    """Tell whether the import of OpenCV raised it."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__", "").split(".")[0] == "cv2":
            return True
        trace = trace.tb_next
    return False
