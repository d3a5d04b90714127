"""The local speech process, and how the bridge reaches it."""
