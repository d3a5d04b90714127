"""ElevenLabs Agents (Conversational AI) over its WebSocket."""
