"""Collected only where the vendors' SDKs are: in the environment of `make conformance`."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("openai") else ["openai/test_*.py"]
