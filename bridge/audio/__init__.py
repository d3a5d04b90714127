"""Formats, companding, resampling, buffering and pacing."""
