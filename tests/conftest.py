"""Patch before anything imports ssl or threading, as the service itself does."""

from gevent import monkey

monkey.patch_all()
