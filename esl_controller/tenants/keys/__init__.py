"""Provider keys, sealed so that only the service can read them."""
