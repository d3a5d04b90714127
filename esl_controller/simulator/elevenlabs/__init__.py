"""An emulated ElevenLabs Agents service."""
