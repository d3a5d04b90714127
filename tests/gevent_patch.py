"""Patches before anything else is imported, as the service does.

Named in setup.cfg's addopts: pytest loads it before the plugins of installed packages, some of
which import ssl.
"""

from gevent import monkey

monkey.patch_all()
