"""Every SQL statement of the service, one module a table group; each carries `domain_uuid`."""
