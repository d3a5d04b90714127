"""Media plane: joins one FreeSWITCH stream to one provider."""
