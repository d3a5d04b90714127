"""Patch before anything imports ssl or threading, as the service itself does."""

from gevent import monkey

monkey.patch_all()

from gevent import config  # noqa: E402 - after the patch

# How long a thread of gevent's pool stays without work; some tests count what is left behind, and
# five seconds are as long as they wait for anything.
config.threadpool_idle_task_timeout = 0.5

from hypothesis import HealthCheck, settings  # noqa: E402 - after the patch

# How long an example takes says how busy the machine is, not whether the code is right; how many
# are thrown away before one fits is chance.
settings.register_profile(
    "project",
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
settings.load_profile("project")
