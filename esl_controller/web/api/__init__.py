"""The JSON interface of a worker, for FusionPBX's pages: /api/v1 on the media port."""
