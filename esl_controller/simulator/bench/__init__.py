"""Measures providers: the bridge half of a call, with real sockets and without a switch."""
