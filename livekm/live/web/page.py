"""The page for browsers: one file, without a build step or anything from elsewhere."""

from importlib.resources import files

PAGE = (files(__package__) / "page.html").read_text(encoding="utf-8")
"""HTML in which ``NONCE`` stands for a word that each answer makes anew."""
