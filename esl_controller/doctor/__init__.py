"""What `esl-controller doctor` looks at, one module for each neighbour of the service."""
