"""An emulated chat model in the shape of OpenAI's, with Groq's additions."""
