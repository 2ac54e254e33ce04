"""What is known before anything is recorded: features learnt from other people's data.

Many samples of a label show by themselves in which features it differs from others. One or two do
not. *Directions* differ much between labels and little between people: further features of a
classifier that gets few samples. Those of poses are sums of features. Those of movements are sums
of the outputs of kernels, and positions that a small network gives (see :mod:`.estimators.tcn`).
They come with the package, made by ``benchmarks/pretraining.py``.
"""

import io
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, BinaryIO, Self

import numpy as np
import onnx

from handlore.datasets.kinds import Kind
from handlore.landmarks.hands import FloatArray
from handlore.models.card import INPUT

from .discriminant import LinearDiscriminant
from .kernels import Bank, KernelBanks
from .onnx_graph import Graph

FEW_CLIPS = 10
"""With fewer clips a label, features learnt from other people's movements are more accurate."""

PEAKS = "peaks"
"""Name of the second input of the network, beside the movements."""

NETWORK_WEIGHT = np.float32(108**0.5)
"""Factor of the network's positions, compared to single features."""

_FILES: dict[Kind, str] = {"pose": "pretrained_poses.npz", "sequence": "pretrained_movements.npz"}
_OF_POSES = "plain", "directed"
_WEIGHT = np.float32(192**0.5)
"""Factor of the directions of kernels."""


@dataclass(frozen=True, eq=False)
class PretrainedFeatures:
    """Kernels, scales of their outputs, directions and a network, learnt from many people.

    The last ``n_positions`` of the outputs are the network's.
    """

    banks: KernelBanks

    mean: FloatArray
    """(n_outputs,)"""

    deviation: FloatArray
    """(n_outputs,)"""

    directions: FloatArray
    """(n_outputs, n_directions); along each, the clips of one label have a variance of 1."""

    centre: FloatArray
    """(n_directions,) mean of all movements along the directions."""

    network: bytes
    """An ``onnx.ModelProto`` from movements and their peaks to positions (n, n_positions)."""

    items: tuple[str, ...]
    """Shortened digests of what they were learnt from, see :func:`pretrained_items`."""

    @classmethod
    @cache
    def shipped(cls) -> "PretrainedFeatures":
        """Return those that come with the package."""
        return cls.load(_opened("sequence"))

    def add_to(self, graph: Graph, peaks: str) -> str:
        """Add the network's positions (n, n_positions)."""
        return graph.inline(self._model, {INPUT: INPUT, PEAKS: peaks})

    @cached_property
    def _model(self) -> Any:
        return onnx.load_from_string(self.network)

    def extended(self, outputs: FloatArray) -> FloatArray:
        """Append the positions along the directions to standardised outputs (n, n_outputs)."""
        along = (outputs @ self.directions - self.centre) * _WEIGHT
        return np.concatenate([outputs, along], axis=1)

    def folded(self, fitted: LinearDiscriminant) -> LinearDiscriminant:
        """Return the same discriminant of the outputs alone: directions are sums of them."""
        n = len(self.mean)
        own, along = fitted.weights[:n], fitted.weights[n:] * _WEIGHT
        return LinearDiscriminant(own + self.directions @ along, fitted.bias - self.centre @ along)

    def save(self, stream: BinaryIO) -> None:
        """Write what :meth:`load` reads."""
        arrays: dict[str, Any] = {
            "mean": self.mean,
            "deviation": self.deviation,
            "directions": self.directions.astype(np.float16),
            "centre": self.centre,
            "network": np.frombuffer(self.network, np.uint8),
            "items": np.array(self.items, np.bytes_),
        }
        for number, bank in enumerate(self.banks.banks):
            arrays |= {
                f"groups_{number}": np.array(bank.groups),
                f"dilation_{number}": np.array(bank.dilation),
                f"mixing_{number}": bank.mixing.astype(np.float16),
                f"offset_{number}": bank.offset.astype(np.float16),
                f"thresholds_{number}": bank.thresholds.astype(np.float16),
            }
        np.savez_compressed(stream, **arrays)

    @classmethod
    def load(cls, stream: BinaryIO) -> Self:
        """Read what :meth:`save` wrote."""
        with np.load(stream, allow_pickle=False) as arrays:
            n_banks = sum(name.startswith("groups_") for name in arrays)
            banks = KernelBanks(
                tuple(
                    Bank(
                        tuple(map(str, arrays[f"groups_{number}"])),
                        int(arrays[f"dilation_{number}"]),
                        *(
                            arrays[f"{name}_{number}"].astype(np.float32)
                            for name in ("mixing", "offset", "thresholds")
                        ),
                    )
                    for number in range(n_banks)
                )
            )
            names = ("mean", "deviation", "directions", "centre")
            numbers = {name: arrays[name].astype(np.float32) for name in names}
            network, items = arrays["network"].tobytes(), arrays["items"].astype(str)
            return cls(banks, **numbers, network=network, items=tuple(items.tolist()))


@cache
def pretrained_directions(n_features: int) -> FloatArray | None:
    """Return directions (n_features, n) that distinguish hands of people and labels never seen.

    Along each, hands of one class have a standard deviation of about 1. They were learnt by
    ``benchmarks/pretraining.py`` from features of the default groups, alone or followed by those of
    the direction; None for any other number of features.
    """
    with np.load(_opened("pose"), allow_pickle=False) as arrays:
        found = [arrays[name] for name in _OF_POSES if len(arrays[name]) == n_features]
    return found[0].astype(np.float32) if found else None


@cache
def pretrained_items(kind: Kind) -> frozenset[str]:
    """Return the shortened digests of items that shipped features were learnt from.

    Scores on these items are too high. Of many, they are the smallest digests.
    """
    with np.load(_opened(kind), allow_pickle=False) as arrays:
        return frozenset(arrays["items"].astype(str).tolist())


def _opened(kind: Kind) -> BinaryIO:
    return io.BytesIO(files(__package__).joinpath(_FILES[kind]).read_bytes())
