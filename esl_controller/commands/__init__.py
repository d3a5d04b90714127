"""The commands of `esl-controller`, one module each; `cli` loads them when asked for."""
