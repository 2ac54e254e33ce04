"""``handlore weights``: where the hand landmark model is."""

from pathlib import Path

import click

from handlore.landmarks.weights import (
    LANDMARKERS,
    Bundle,
    cache_folder,
    fetch_bundle,
    find_bundle,
    import_bundle,
    require_bundle,
    verify_bundle,
)

from ._common import PATH, examples, json_option, print_json, say, talk

_landmarker_option = click.option(
    "--landmarker",
    type=click.Choice(list(LANDMARKERS)),
    default="full",
    show_default=True,
    help="Which of the two hand networks; lite is faster and slightly less accurate.",
)


@click.group(
    "weights",
    invoke_without_command=True,
    epilog=examples(
        "handlore weights",
        "handlore weights fetch --landmarker lite",
        "handlore weights fetch --from mediapipe-0.10.21-cp311-cp311-manylinux_2_28_x86_64.whl",
    ),
)
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Show where the hand landmark model is; download or verify it.

    handlore uses MediaPipe's own networks, which current mediapipe packages no longer contain.
    They are downloaded once, verified bit for bit, and kept in your cache folder.
    """
    if ctx.invoked_subcommand:
        return
    bundles = {name: find_bundle(name) for name in LANDMARKERS}
    if as_json:
        rows = [_facts(name, found) for name, found in bundles.items()]
        print_json({"cache": str(cache_folder()), "bundles": rows})
        return
    for name, found in bundles.items():
        say(f"{name}: {f'{found.path} ({found.origin})' if found else 'not here'}")
    if not bundles["full"]:
        say("download it with `handlore weights fetch`; other commands do so when needed")


@command.command("fetch")
@_landmarker_option
@click.option(
    "--from",
    "source",
    type=PATH,
    help="A mediapipe wheel or .task file brought from another computer.",
)
@click.option("--force", is_flag=True, help="Download it again even if it is here.")
@json_option
def _fetch(landmarker: str, source: Path | None, force: bool, as_json: bool) -> None:
    """Put the model into the cache, from the network or from a file.

    If the model is already here, nothing is downloaded.
    """
    if source is not None:
        bundle = import_bundle(source, landmarker)
    else:
        bundle = (fetch_bundle if force else require_bundle)(landmarker, talk)
    _print(bundle, f"{bundle.landmarker}: {bundle.path} ({bundle.origin})", as_json)


@command.command("verify")
@_landmarker_option
@json_option
def _verify(landmarker: str, as_json: bool) -> None:
    """Check that the model is MediaPipe's own, bit for bit."""
    bundle = verify_bundle(landmarker)
    text = f"{landmarker}: {bundle.path} is MediaPipe's own, sha256 {bundle.sha256}"
    _print(bundle, text, as_json)


def _print(bundle: Bundle, text: str, as_json: bool) -> None:
    if as_json:
        print_json(_facts(bundle.landmarker, bundle) | {"sha256": bundle.sha256})
    else:
        say(text)


def _facts(landmarker: str, found: Bundle | None) -> dict[str, str | None]:
    path, origin = (str(found.path), found.origin) if found else (None, None)
    return {"landmarker": landmarker, "path": path, "origin": origin}
