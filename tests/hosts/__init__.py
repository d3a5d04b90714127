"""An installation of several machines, in network namespaces of this one: `make hosts`."""
