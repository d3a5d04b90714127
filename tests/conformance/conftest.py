"""Collected only where the vendors' SDKs are: in the environment of `make conformance`."""

from importlib.util import find_spec

collect_ignore_glob = [
    f"{vendor}/test_*.py" for vendor in ("openai", "elevenlabs") if not find_spec(vendor)
]
