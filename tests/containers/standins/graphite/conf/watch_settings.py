from graphite.settings import *  # noqa: F403

SECRET_KEY = "of a test"
LOG_DIR = INDEX_DIR = "/tmp"
INDEX_FILE = "/tmp/index"
STORAGE_DIR = "/opt/graphite/storage"
WHISPER_DIR = "/opt/graphite/storage/whisper"
STANDARD_DIRS = [WHISPER_DIR]
CARBONLINK_HOSTS: list[str] = []
ALLOWED_HOSTS = ["*"]
FIND_CACHE_DURATION = DEFAULT_CACHE_DURATION = 0
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "/tmp/users"}}
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
