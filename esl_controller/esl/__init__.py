"""FreeSWITCH Event Socket: framing, commands, sessions, server."""
