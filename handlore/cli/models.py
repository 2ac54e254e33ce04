"""``handlore models``: the models that come with handlore, and any other model described."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from handlore.datasets.kinds import SHORT_NAMES
from handlore.datasets.recording_files import is_recordings
from handlore.landmarks.errors import HandloreError, OptionError
from handlore.landmarks.files import require_writable, write_bytes
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.weights import require_bundle
from handlore.models.ready import KNOWN_MODELS, READY_MODELS, ReadyModel, known_model, model_path

from ._common import (
    MODEL,
    PATH,
    end,
    examples,
    json_option,
    load_datasets,
    percent,
    print_json,
    require_output,
    require_source,
    say,
    say_notes,
    talk,
)
from ._rich import print_table, progress
from ._training import protocol

if TYPE_CHECKING:
    # Needs onnxruntime, which printing help does not.
    from handlore.models.card import ModelCard


@click.group(
    "models",
    invoke_without_command=True,
    epilog=examples(
        "handlore models",
        "handlore models show everyday",
        "handlore models show everyday --picture everyday.png",
        "handlore models build asl-letters asl_massey --out letters.onnx",
    ),
)
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List the models that come with handlore, show one, or build one from data.

    Wherever a command takes a model, it takes the name of one of these: `handlore predict everyday
    photo.jpg`. `./everyday` is a file of that name.
    """
    if ctx.invoked_subcommand is None:
        _list(as_json)


@command.command("list", epilog=examples("handlore models list --json"))
@json_option
def _list_command(as_json: bool) -> None:
    """List the models that come with handlore."""
    _list(as_json)


def _list(as_json: bool) -> None:
    if as_json:
        print_json([_facts(one) for one in KNOWN_MODELS.values()])
        return
    rows = [
        [
            one.name,
            SHORT_NAMES[one.kind],
            ", ".join(one.gestures),
            one.licence,
            f"{one.path.stat().st_size / 1000:.0f} KB",
        ]
        for one in READY_MODELS.values()
    ]
    print_table(["model", "of", "gestures", "licence", "size"], rows)
    for one in KNOWN_MODELS.values():
        if not one.shipped:
            say(
                f"\n{one.name} ({one.summary}) is made from data that you have: `handlore models"
                f" build {one.name} DATA --out {one.name}.onnx`"
            )


def _facts(one: ReadyModel) -> dict[str, Any]:
    return {
        "name": one.name,
        "kind": one.kind,
        "summary": one.summary,
        "gestures": list(one.gestures),
        "data": one.data,
        "licence": one.licence,
        "weaknesses": list(one.weaknesses),
        "path": str(one.path) if one.shipped else None,
        "bytes": one.path.stat().st_size if one.shipped else None,
    }


@command.command(
    "show",
    epilog=examples(
        "handlore models show movements",
        "handlore models show poses.onnx --picture gestures.png",
    ),
)
@click.argument("model", type=MODEL)
@click.option(
    "--picture",
    type=PATH,
    metavar="FILE.png",
    help="Draw a typical right hand for each gesture, as in a mirror.",
)
@json_option
def _show_command(model: str | Path, picture: Path | None, as_json: bool) -> None:
    """Describe a model: its gestures, scores, licence and known weaknesses.

    MODEL is a file, or the name of a model that comes with handlore.
    """
    # Imported here: needs onnxruntime, which printing help does not.
    from handlore.models.files import load_model

    if picture:
        if picture.suffix.lower() != ".png":
            raise OptionError(f"--picture is {picture}; expected a name that ends in .png")
        require_writable(picture)
    card = load_model(model).card
    known = KNOWN_MODELS.get(model) if isinstance(model, str) else None
    drawn = _draw(card, str(model), picture) if picture else []
    if as_json:
        shown = _facts(known) if known else {"path": str(model)}
        scores = {key: card.training.get(key) for key in ("crossval", "per_class", "streams")}
        shown |= {"kind": card.kind, "labels": list(card.labels), "licence": card.licence}
        print_json(shown | scores | ({"drawn": drawn} if picture else {}))
        return
    _print(model, card, known)


def _draw(card: "ModelCard", name: str, picture: Path) -> list[str]:
    # Imported here: needs OpenCV.
    from handlore.report.contactsheet import gesture_sheet_png

    hands = card.typical_hands
    if not hands:
        raise HandloreError(
            f"{name} was trained by an earlier handlore, which kept no typical hands to draw;"
            " train it again"
        )
    write_bytes(picture, gesture_sheet_png(hands, Path(name).name))
    talk(f"wrote {picture}")
    return list(hands)


def _print(model: str | Path, card: "ModelCard", known: ReadyModel | None) -> None:
    about = f": {known.summary}" if known else f": {SHORT_NAMES[card.kind]}"
    say(f"{model}{about} ({model_path(model).stat().st_size / 1000:.0f} KB)")
    say(f"  gestures: {', '.join(label for label in card.labels if label != 'none')}")
    if known:
        say(f"  data: {known.data}")
    if card.licence:
        say(f"  licence: {known.licence if known else card.licence}")
    _print_scores(card.training)
    if known:
        say("\nKnown weaknesses:")
        for line in known.weaknesses:
            say(f"  {line}")


def _print_scores(training: Mapping[str, Any]) -> None:
    scores, per_class = training.get("crossval"), training.get("per_class")
    if not isinstance(scores, Mapping) or not isinstance(per_class, Mapping):
        say("  no scores are kept in it; `handlore train --crossval` keeps them")
        return
    say(f"  {protocol(scores)}: accuracy {percent(scores['accuracy'])} of {scores['n']}\n")
    rows = [
        [label, row["support"], percent(row["recall"]), percent(row["precision"])]
        for label, row in per_class.items()
    ]
    print_table(["label", "n", "recall", "precision"], rows)


@command.command(
    "build",
    epilog=examples(
        "handlore models build asl-letters asl_massey --out letters.onnx",
        "handlore models build everyday hagrid.npz --out everyday.onnx",
    ),
)
@click.argument("name", metavar="NAME")
@click.argument("data", type=PATH)
@click.option("--out", required=True, type=PATH, help="The model file, ending in .onnx.")
@json_option
def _build_command(name: str, data: Path, out: Path, as_json: bool) -> None:
    """Train one of the ready-made models from its data set.

    DATA is a file that `handlore convert` wrote, or the folder of the data set, which is converted
    into OUT's name with -landmarks.npz first. Beside OUT are written its card (.md) and examples
    (.npz) for `handlore train --base`.
    """
    # Imported here: needs scikit-learn.
    from handlore.classifiers.recipes import build_model, landmarks_of, require_built_files

    known_model(name)
    require_output(out, [data])
    require_built_files(name, out)
    require_source(data)
    if data.is_dir() and not is_recordings(data):
        require_bundle(talk=talk)
        with quiet_native_log(), progress("converting") as show:
            into = out.with_name(f"{out.stem}-landmarks.npz")
            data = landmarks_of(name, data, into, progress=show, report=talk)
    loaded = load_datasets([data])
    with progress("training", counted=False) as show:
        trained = build_model(name, loaded.dataset, out, progress=show)
    say_notes(trained.notes)
    if as_json:
        print_json(trained.as_json())
    else:
        accuracy = percent(trained.card.training["crossval"]["accuracy"])
        say(f"trained {name} on {trained.card.training['n']} samples; accuracy {accuracy}")
        say(f"licence: {trained.card.licence}")
        say(f"wrote {out} ({trained.n_bytes / 1000:.0f} KB), its card and its examples")
    end(loaded.failures)
