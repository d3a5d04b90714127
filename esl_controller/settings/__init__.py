"""What the installation is set to: one table, its types, and where values come from."""
