"""Model files: an ONNX graph, with the model card as JSON in its metadata.

``docs/reference/formats.md`` specifies them. No pickle is ever written or loaded.
"""

import io
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np

from handlore.datasets.dataset import NONE_LABEL
from handlore.datasets.files import is_foreign_name
from handlore.datasets.kinds import KIND_WORDS, Kind, require_kind
from handlore.landmarks.errors import (
    HandloreError,
    InvalidDataError,
    NewerFormatError,
    counted,
    shell_line,
)
from handlore.landmarks.files import each, require_writable, write_bytes
from handlore.landmarks.untrusted import DAMAGE, parse_json, reason, require_size
from handlore.landmarks.weights import CUSTOM, ENVIRONMENT_VARIABLE, find_bundle

from .card import (
    CLIP_OUTPUT,
    DURATION_QUANTILES,
    INPUT,
    MODEL_ENDING,
    OUTPUT,
    P_VALUE_OUTPUT,
    ModelCard,
    is_model_file,
)
from .encoders import MIN_TIMEPOINTS, MovementEncoder, PoseEncoder
from .model import Model, MovementModel, PoseModel
from .operators import MAX_MODEL_BYTES, check_operators, metadata_keys
from .ready import is_ready, model_path, no_model
from .trial import make_session, remember, require_harmless

METADATA_KEY = "handlore"
_MAX_CARD_BYTES = 16 << 20
_TIMEPOINTS = range(MIN_TIMEPOINTS, 4097)


@overload
def load_model(path: str | Path | Model) -> Model: ...
@overload
def load_model(path: str | Path | Model, kind: Literal["pose"]) -> PoseModel: ...
@overload
def load_model(path: str | Path | Model, kind: Literal["sequence"]) -> MovementModel: ...
def load_model(path: str | Path | Model, kind: Kind | None = None) -> Model:
    """Load a model file, or a model that comes with handlore.

    Files of all earlier formats can be read. A model that is loaded already is returned, so
    functions that take a model take its file or name too.

    Parameters
    ----------
    path
        A file that ``handlore train`` wrote; or as text the name of a model that comes with
        handlore, such as ``everyday``. ``./everyday`` and ``Path("everyday")`` are files.
    kind
        Refuse models of another kind.

    Returns
    -------
    A :class:`PoseModel` or a :class:`MovementModel`.

    Raises
    ------
    HandloreError
        If there is no such file, or it cannot be read.
    InvalidDataError
        If it is not ONNX, truncated, or not a model of handlore.
    NewerFormatError
        If a later version of handlore wrote it.

    Examples
    --------
    >>> model = handlore.load_model("poses.onnx")
    >>> model.labels
    ('fist', 'open_palm', 'point', 'victory')
    """
    require_kind(kind)
    model = path if isinstance(path, Model) else _loaded(path)
    if kind not in (None, model.card.kind):
        name = "the model" if isinstance(path, Model) else model_path(path)
        raise InvalidDataError(
            f"{name} takes {KIND_WORDS[model.card.kind]}; expected one for {KIND_WORDS[kind]}"
        )
    return model


def _loaded(name: str | Path) -> Model:
    ours, path = is_ready(name), model_path(name)
    data = _read(path)
    try:
        if not ours:
            if METADATA_KEY not in metadata_keys(data):
                raise KeyError(METADATA_KEY)
            require_harmless(data)
        session = _session(data)
        card = ModelCard.from_json(
            parse_json(session.get_modelmeta().custom_metadata_map[METADATA_KEY], _MAX_CARD_BYTES)
        )
        model = _model(session, card)
        _check_graph(session, model)
    except KeyError as error:
        raise InvalidDataError(
            f"{path} is an ONNX model, but not one made by `handlore train`"
        ) from error
    except NewerFormatError as error:
        raise NewerFormatError(f"{path} comes from a newer handlore: {error}") from error
    except HandloreError as error:
        raise InvalidDataError(f"{path} is damaged: {error}; train it again") from error
    except DAMAGE as error:
        raise InvalidDataError(f"{path} is damaged: {reason(error)}; train it again") from error
    return model


def load_models(
    models: Sequence[str | Path | Model] | str | Path | Model,
) -> tuple[list[Model], list[str]]:
    """Load models that recognise gestures in one stream together.

    Parameters
    ----------
    models
        Files or names as in :func:`load_model`, or models that are loaded already; one or several.

    Returns
    -------
    The models, and notes about labels that several of them have.

    Raises
    ------
    HandloreError
        As :func:`load_model`, or if they take different numbers of hands.

    Examples
    --------
    >>> models, notes = handlore.load_models(["poses.onnx", "moves.onnx"])
    >>> [model.card.kind for model in models]
    ['pose', 'sequence']
    """
    names = each(models)
    loaded = [load_model(one) for one in names]
    for name, model in zip(names, loaded, strict=True):
        if model.card.n_hands != loaded[0].card.n_hands:
            raise HandloreError(
                f"{names[0]} takes {counted(loaded[0].card.n_hands, 'hand')} and {name}"
                f" {model.card.n_hands}; models of one stream must take the same number"
            )
    counts = Counter(label for model in loaded for label in set(model.labels) - {NONE_LABEL})
    shared = sorted(label for label, n in counts.items() if n > 1)
    if not shared:
        return loaded, []
    return loaded, [
        f"more than one model knows {', '.join(shared)}: each emits its own events, and actions"
        " run for each"
    ]


def required_landmarker(models: Sequence[str | Path | Model] | str | Path | Model) -> str:
    """Return the hand network that models were trained on: ``full`` or ``lite``.

    One or several models, or their files or names; where they differ it is ``full``. Networks of
    the user's own are found by an environment variable.

    Raises
    ------
    HandloreError
        If a model was trained on networks of the user's own, and the variable is not set.

    Examples
    --------
    >>> handlore.required_landmarker([handlore.load_model("poses.onnx")])
    'full'
    """
    names = {_network(load_model(model).card.landmarker) for model in each(models)}
    return names.pop() if len(names) == 1 else "full"


def _network(trained_on: str) -> str:
    if trained_on != CUSTOM:
        return trained_on
    bundle = find_bundle()
    if bundle is None or bundle.landmarker != CUSTOM:
        raise HandloreError(
            "the model was trained on hand networks of your own; set"
            f" {ENVIRONMENT_VARIABLE} to the path of their bundle"
        )
    return "full"


def _model(session: Any, card: ModelCard) -> Model:
    if card.kind == "pose":
        return PoseModel(session, card, PoseEncoder(card.features, card.n_hands))
    if card.n_timepoints not in _TIMEPOINTS or len(card.seconds) != len(DURATION_QUANTILES):
        raise InvalidDataError("its metadata has no usable n_timepoints and seconds")
    encoder = MovementEncoder(
        card.n_hands, card.n_timepoints, card.averaged, card.timed, card.context
    )
    return MovementModel(session, card, encoder)


def _read(path: Path) -> bytes:
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise InvalidDataError(f"{path} is a pipe or a device; expected a model file")
        require_size(path.stat().st_size, MAX_MODEL_BYTES, str(path))
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise HandloreError(no_model(path)) from error
    except IsADirectoryError as error:
        raise HandloreError(
            f"{path} is a folder; expected a model file such as poses.onnx"
        ) from error
    except OSError as error:
        raise HandloreError(f"cannot read {path}: {error.strerror}") from error
    picture = (
        "it is a picture or a video; name the model first, as in `handlore predict MODEL FILE`, or"
        " `handlore live MODEL --camera FILE`"
    )
    wrong = {
        **dict.fromkeys((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"BM"), picture),
        b"PK": "it looks like a dataset; make a model of it with `handlore train`",
        b"\x80": "it is a Python pickle, which handlore never loads; models are .onnx files",
        b"\x78": "it is a joblib file, which handlore never loads; models are .onnx files",
    }
    if path.suffix.lower() == ".toml":
        option = shell_line("--actions", path)
        raise InvalidDataError(f"{path} is no model; actions are given as {option}")
    if data.startswith(b"PK") and (path.suffix.lower() == ".task" or b".tflite" in data[:4096]):
        raise InvalidDataError(
            f"{path} is a task file of MediaPipe, which finds hands or has classes of its own;"
            " expected a model of `handlore train`, such as poses.onnx"
        )
    if data[4:8] == b"TFL3":
        raise InvalidDataError(
            f"{path} is a TensorFlow Lite model; expected a model of `handlore train`, such as"
            " poses.onnx"
        )
    for start, why in wrong.items():
        if data.startswith(start) or (why is picture and data[4:8] == b"ftyp"):
            raise InvalidDataError(f"{path} is not a model: {why}")
    if not data:
        raise InvalidDataError(f"{path} is not a model: it is empty")
    return data


def _session(data: bytes) -> Any:
    try:
        # onnxruntime prints about damaged models on stdout.
        with redirect_stdout(io.StringIO()):
            return make_session(data)
    except Exception as error:  # onnxruntime raises many kinds; all mean the file
        raise InvalidDataError("it is not an ONNX model that onnxruntime can load") from error


def _check_graph(session: Any, model: Model) -> None:
    """Run the graph on one row, and refuse it if it does not match the card."""
    card, row = model.card, model.encoder.shape
    inputs = [(value.name, value.type, len(value.shape)) for value in session.get_inputs()]
    if card.n_features != row[0] or inputs != [(INPUT, "tensor(float)", 1 + len(row))]:
        raise InvalidDataError("its graph does not take the features that its metadata names")
    clips = isinstance(model, MovementModel) and model.has_clip_output
    outputs = [OUTPUT, CLIP_OUTPUT] if clips else [OUTPUT]
    more = [P_VALUE_OUTPUT] if isinstance(model, PoseModel) and model.has_novelty else []
    try:
        blank = np.zeros((1, *row), np.float32)
        results = session.run([*outputs, *more], {INPUT: blank})
    except Exception as error:  # as above
        raise InvalidDataError("its graph does not run on one row of its features") from error
    if not all(_is_float32(one, (1, len(card.labels))) for one in results[: len(outputs)]):
        raise InvalidDataError("its graph does not return one probability for each of its labels")
    if not all(_is_float32(values, (1,)) for values in results[len(outputs) :]):
        raise InvalidDataError("its graph does not return one novelty score for each hand")


def _is_float32(values: Any, shape: tuple[int, ...]) -> bool:
    return getattr(values, "shape", None) == shape and values.dtype == np.float32


_OTHER_ENDINGS = (".npz", ".csv", ".parquet", ".json")
"""Names of datasets and tables."""


def require_model_output(path: str | Path) -> None:
    """Refuse a path for a model that cannot be written, or where something else would be lost.

    A model may be replaced, and so may an empty file and a damaged one that ends in ``.onnx``.
    """
    path = Path(path)
    require_writable(path)
    if is_ready(str(path)) and not path.exists():
        raise HandloreError(
            f"{path} is the name of a model that comes with handlore; give another one, such as"
            f" {path}.onnx"
        )
    if path.is_file() and path.stat().st_size and not is_model_file(path):
        is_one = path.suffix.lower() == MODEL_ENDING
        better = (
            f"{path.stem}-model{MODEL_ENDING}" if is_one else path.with_suffix(MODEL_ENDING).name
        )
        raise HandloreError(
            f"{path} exists and is not a model, and a model would replace it; give another name,"
            f" such as {better}"
        )
    is_other = path.suffix.lower() in _OTHER_ENDINGS or is_foreign_name(path)
    if is_other and not path.exists():
        better = path.with_suffix(MODEL_ENDING).name
        raise HandloreError(f"{path.name} is no name for a model; give one such as {better}")


def replace_card(path: Path, card: ModelCard, out: Path | None = None) -> int:
    """Write a model file with another card of the same labels; return its size in bytes.

    The graph stays the same. Without ``out`` the file is replaced.
    """
    # onnx is needed to write models only; running them takes onnxruntime alone.
    import onnx

    return write_model(onnx.load_model_from_string(Path(path).read_bytes()), card, out or path)


def write_model(model: Any, card: ModelCard, path: Path) -> int:
    """Write an ONNX model with its card; the file appears whole or not at all."""
    del model.metadata_props[:]
    entry = model.metadata_props.add()
    entry.key = METADATA_KEY
    entry.value = json.dumps(card.as_json(), sort_keys=True)
    data: bytes = model.SerializeToString()
    # What other computers would refuse is not written.
    check_operators(data)
    require_model_output(path)
    write_bytes(Path(path), data)
    remember(data)
    return len(data)
