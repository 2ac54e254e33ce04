"""Mirroring of movements: how they look in a mirror, and which label they have there.

A left-hander is rare in training data. A swipe to the left is one to the right in a mirror, a grab
is a grab; for a letter drawn in the air, nobody knows.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import StrArray
from handlore.landmarks.errors import OptionError
from handlore.landmarks.hands import FloatArray
from handlore.models.encoders import N_CHANNELS, N_CONTEXT, N_COORDINATES

from .discriminant import LinearDiscriminant
from .movement_features import IN_PICTURE, joined, movement_features, points_of, summary
from .onnx_graph import Graph, GraphRunner

_LEAST_KEPT = 0.8
"""A label stays the same in a mirror if it is recognised there at least this share as often."""
_LEAST_LEAD = 2.0
"""Two labels are each other's image if each is recognised as the other this much more often than as
itself."""
_FEW_CLIPS = 8
"""With fewer clips a label its image is unknown."""
_LEAST_DEVIATIONS = 2.0
"""A label counts as recognised if it is so more often than by chance, by this number of standard
deviations. With three clips of two labels each, anything happens by chance."""
_MOST_CLIPS = 4000
_LEAST_SPREAD = 0.02
"""Added to standard deviations, in palm lengths."""

UNKNOWN = -1


def mirror_blocks(blocks: FloatArray, n_hands: int = 1) -> FloatArray:
    """Return mirrored movements (n, n_channels, n_timepoints), as the encoder would encode them.

    With one hand only the path is mirrored, as the encoder mirrors the shape of left hands anyway.
    With two hands the slots are swapped. Channels after those of the hands, a duration or the
    context, stay; but the side of a single hand changes.
    """
    mirrored = blocks.copy()
    n_rows = n_hands * N_CHANNELS
    mirrored[:, :n_rows] = _mirrored_hands(blocks[:, :n_rows], n_hands)
    if n_hands == 1 and blocks.shape[1] == n_rows + N_CONTEXT:
        mirrored[:, -1] *= -1
    return mirrored


def _mirrored_hands(blocks: FloatArray, n_hands: int) -> FloatArray:
    hands = blocks.reshape(len(blocks), n_hands, N_CHANNELS, -1).copy()
    x = hands[:, :, :N_COORDINATES:3]
    if n_hands == 1:
        x -= 2 * x[:, :, :1]
        return hands.reshape(blocks.shape)
    x *= -1
    return hands[:, ::-1].reshape(blocks.shape)


def parse_label_pairs(text: str, labels: Sequence[str] | None = None) -> dict[str, str] | None:
    """Read pairs of labels such as ``left=right,in=out``; None if the text is empty.

    If the known labels are given, all others are refused.
    """
    if not text.strip():
        return None
    pairs = [[name.strip() for name in pair.split("=")] for pair in text.split(",")]
    names = [name for pair in pairs for name in pair]
    if any(len(pair) != 2 for pair in pairs) or len(set(names)) < len(names) or "" in names:
        raise OptionError(
            f"mirrored labels {text!r}; expected pairs of different labels such as left=right"
        )
    if labels is not None and (unknown := sorted(set(names) - set(labels))):
        raise OptionError(
            f"mirrored labels name {', '.join(unknown)}; known labels: {', '.join(labels)}"
        )
    return {pair[0]: pair[1] for pair in pairs}


def mirror_codes(
    codes: NDArray[np.int64], classes: NDArray[Any], pairs: Mapping[str, str]
) -> NDArray[np.int64]:
    """Return class indices (n,) of mirrored movements: the labels of a pair are swapped.

    ``codes`` (n,) are those of the movements, ``classes`` their labels. The index is
    :data:`UNKNOWN` where the other label of the pair is not a class.
    """
    both = dict(pairs) | {right: left for left, right in pairs.items()}
    place = {str(name): code for code, name in enumerate(classes)}
    swapped = [place.get(both.get(str(name), str(name)), UNKNOWN) for name in classes]
    return np.array(swapped, np.int64)[codes]


def classes_in_mirror(
    blocks: FloatArray,
    codes: NDArray[np.int64],
    groups: StrArray | None,
    classes: NDArray[Any],
    pairs: str,
) -> NDArray[np.int64]:
    """Return the class (n_classes,) of each class in a mirror, :data:`UNKNOWN` where unclear.

    ``pairs`` are those of :func:`parse_label_pairs`. Without any, movements are compared as the
    camera sees them: ``blocks`` (n, n_channels, n_timepoints), their ``codes`` (n,), and the people
    (n,) as ``groups``.
    """
    known = parse_label_pairs(pairs)
    if known is not None:
        return mirror_codes(np.arange(len(classes)), classes, known)
    run = GraphRunner(_levels_in_picture(*blocks.shape[1:]))
    plain, mirrored = run(blocks), run(mirror_blocks(blocks, blocks.shape[1] // N_CHANNELS))
    mean, deviation = plain.mean(axis=0), plain.std(axis=0) + np.float32(_LEAST_SPREAD)
    return found_in_mirror((plain - mean) / deviation, (mirrored - mean) / deviation, codes, groups)


def _levels_in_picture(n_channels: int, n_timepoints: int) -> Any:
    """Return the model from blocks to levels and ranges of what the camera sees."""
    graph = Graph()
    features = movement_features(graph, n_channels, n_timepoints)
    levels = summary(graph, joined(graph, features, IN_PICTURE), points_of(n_timepoints))
    result = graph.op("Concat", *levels, axis=1)
    return graph.model((n_channels, n_timepoints), result, ("levels",))


def found_in_mirror(
    plain: FloatArray, mirrored: FloatArray, codes: NDArray[np.int64], groups: StrArray | None
) -> NDArray[np.int64]:
    """Return the class (n_classes,) of each class in a mirror, :data:`UNKNOWN` where unclear.

    A few clips cannot show it, and a wrong image costs more than mirrored copies bring.

    ``plain`` and ``mirrored`` (n, n_features) are standardised features of movements as the
    camera sees them, ``codes`` (n,) their classes.
    """
    rng = np.random.default_rng(0)
    some = rng.permutation(len(codes))[:_MOST_CLIPS]
    names = np.arange(len(codes)) if groups is None else groups
    people, person = np.unique(np.asarray(names)[some], return_inverse=True)
    if len(people) == 1:
        people, person = some, np.arange(len(some))
    half = rng.permutation(len(people))[person] % 2
    n = int(codes.max()) + 1
    plain, mirrored, codes = plain[some], mirrored[some], codes[some]
    seen_as, kept = np.zeros((n, n)), np.zeros(n)
    for tested in (half == 0, half == 1):
        if not tested.any() or tested.all():
            continue
        fitted = LinearDiscriminant.of_rows(plain[~tested], codes[~tested], n)
        own = codes[tested]
        np.add.at(seen_as, (own, fitted.scores(mirrored[tested]).argmax(axis=1)), 1)
        np.add.at(kept, own, fitted.scores(plain[tested]).argmax(axis=1) == own)
    return _images(seen_as, kept)


def _images(seen_as: NDArray[np.float64], kept: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the image of each class.

    ``seen_as`` (n_classes, n_classes) counts what movements of each class are recognised as in a
    mirror, ``kept`` (n_classes,) how many are recognised without one.
    """
    same, n = np.diag(seen_as), seen_as.sum(axis=1)
    chance = 1 / max((n > 0).sum(), 1)
    least = n * chance + _LEAST_DEVIATIONS * np.sqrt(n * chance * (1 - chance))
    image = np.where((kept > least) & (same >= _LEAST_KEPT * kept), np.arange(len(n)), UNKNOWN)
    most = seen_as.argmax(axis=1)
    for one, other in enumerate(most):
        if other != one and most[other] == one:
            seen = seen_as[one, other]
            if seen > _LEAST_LEAD * same[one] and seen > least[one]:
                image[one] = other
    return np.where(n < _FEW_CLIPS, UNKNOWN, image).astype(np.int64)
