"""The image and compose.yaml on a container engine of the test's own: `make containers`."""
