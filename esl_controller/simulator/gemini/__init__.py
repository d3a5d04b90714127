"""The Gemini Live service, in software."""
