"""Gemini Live: BidiGenerateContent over one WebSocket."""
