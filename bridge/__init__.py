"""Media plane: joins one FreeSWITCH stream to one provider."""

__version__ = "0.1.0"
