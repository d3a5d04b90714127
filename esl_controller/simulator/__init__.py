"""A FreeSWITCH, a caller and the providers, in software."""
