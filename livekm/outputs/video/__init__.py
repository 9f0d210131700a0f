"""Clips: containers, codecs, time stamps, and the other tracks."""
