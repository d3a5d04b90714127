"""FusionPBX's pages: a thin FusionPBX, the packaged PostgreSQL, a worker and Chromium."""
