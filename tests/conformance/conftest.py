"""Collected only where the vendors' SDKs are: in the environment of `make conformance`."""

from importlib.util import find_spec


def _there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # its parent package is not there
        return False


_SUITES = {
    "openai": "openai",
    "elevenlabs": "elevenlabs",
    "gemini": "google.genai",
    "deepgram": "deepgram",
    "groq": "groq",
}
collect_ignore_glob = [
    f"{folder}/test_*.py" for folder, name in _SUITES.items() if not _there(name)
]
