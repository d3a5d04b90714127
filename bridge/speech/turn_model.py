"""Whether the caller has finished, by a model that listens to how it was said (ONNX, by path).

The model, given to the process with `--turn-model`, is any with this contract:

- one input: float32, shape `[1, n]`, the last 8 s of the caller at 16 kHz, -1 to 1, silence in
  front of a shorter turn; `n` is 128000 or free.
- its first output: one float, the probability that the turn is over.

It is asked once in each pause of 200 ms, and not by the hub: onnxruntime is loaded here alone.
"""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from bridge.speech.messages import Reply, Told
from bridge.speech.service import Options, Place, Refused, SpeechFailed

MODEL_HZ = 16000
WINDOW_S = 8
PAUSE_MS = 200
VOICE_MS = 150
"""A turn has at least so much of a voice."""
LOUD = 500 / 32768
"""-36 dBFS."""
OVER = 0.5
_PIECE = MODEL_HZ // 50


class TurnEnd:
    """One caller's; an `Ear` that tells ends alone."""

    def __init__(self, session: Any, rate_hz: int) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        self._stream = soxr.ResampleStream(rate_hz, MODEL_HZ, 1, dtype="int16")
        self._rest: NDArray[np.float32] = np.zeros(0, np.float32)
        self._heard: NDArray[np.float32] = np.zeros(0, np.float32)
        self._at = self._loud_ms = self._quiet_ms = 0
        self._asked = True

    def hear(self, data: bytes) -> list[Reply]:
        """Take 16-bit samples; the ends found."""
        made = self._stream.resample_chunk(np.frombuffer(data[: len(data) & ~1], "<i2"))
        samples = np.concatenate([self._rest, made.astype(np.float32) / 32768])
        whole = len(samples) - len(samples) % _PIECE
        self._rest = samples[whole:]
        pieces = (samples[begin : begin + _PIECE] for begin in range(0, whole, _PIECE))
        return [Reply(Told.ENDED, self._at) for piece in pieces if self._piece(piece)]

    def close(self) -> None:
        """The model is everybody's."""

    def _piece(self, piece: NDArray[np.float32]) -> bool:
        self._at += 20
        self._heard = np.concatenate([self._heard, piece])[-WINDOW_S * MODEL_HZ :]
        if float(np.sqrt(np.mean(piece**2))) >= LOUD:
            self._loud_ms += 20
            self._quiet_ms = 0
            self._asked = False
            return False
        self._quiet_ms += 20
        if self._asked or self._quiet_ms < PAUSE_MS or self._loud_ms < VOICE_MS:
            return False
        self._asked = True
        if self._probability() < OVER:
            return False
        self._loud_ms = 0
        self._heard = self._heard[:0]
        return True

    def _probability(self) -> float:
        window = np.zeros((1, WINDOW_S * MODEL_HZ), np.float32)
        window[0, WINDOW_S * MODEL_HZ - len(self._heard) :] = self._heard
        try:
            outputs = self._session.run(None, {self._input: window})
            return float(np.asarray(outputs[0]).reshape(-1)[0])
        except Exception as error:
            raise SpeechFailed(f"turn model: {type(error).__name__}") from error


def open_turn_end(options: Options, place: Place) -> TurnEnd:
    """Raises `Refused`: no model was given, it cannot be run here, or takes something else."""
    if place.turn_model is None:
        raise Refused("the speech process was given no turn model (VOICE_AI_SPEECH_TURN_MODEL)")
    if importlib.util.find_spec("onnxruntime") is None:
        raise Refused("a turn model needs onnxruntime: pip install 'voice-ai-switch[turns]'")
    return TurnEnd(_session(place.turn_model), options.rate_hz)


_sessions: dict[Path, Any] = {}


def _session(path: Path) -> Any:
    """One for all callers: the model keeps no state."""
    if path not in _sessions:
        runtime = importlib.import_module("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = 1
        try:
            session = runtime.InferenceSession(str(path), options)
        except Exception as error:
            raise Refused(f"turn model {path.name}: {str(error)[:120]}") from error
        inputs = session.get_inputs()
        if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 2:
            taken = [(one.type, one.shape) for one in inputs]
            raise Refused(f"turn model {path.name}: takes {taken}, not float [1, samples]")
        _sessions[path] = session
    return _sessions[path]
