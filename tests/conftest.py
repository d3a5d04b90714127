"""Patch before anything imports ssl or threading, as the service itself does."""

from gevent import monkey

monkey.patch_all()

from hypothesis import settings  # noqa: E402 - after the patch

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("project", deadline=None)
settings.load_profile("project")
