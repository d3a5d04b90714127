"""The local speech process, as the bridge reaches it."""
