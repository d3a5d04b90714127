"""Collected only where the vendors' SDKs are: in the environment of `make conformance`."""

from importlib.util import find_spec

_SDKS = {"openai": "openai", "deepgram": "deepgram", "groq": "groq"}
collect_ignore_glob = [f"{name}/test_*.py" for name, sdk in _SDKS.items() if not find_spec(sdk)]
