"""Talking to a secretary from a browser: who may, and the conversation itself."""
