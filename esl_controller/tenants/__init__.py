"""Settings of tenants: read, checked, cached; their keys."""
