"""An emulated Deepgram: hears by loudness, tells what its script says was said."""
