"""``handlore weights``: where the landmark model is."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from handlore.landmarks.errors import HandloreError

if TYPE_CHECKING:
    from handlore.landmarks.weights import Bundle

from ._common import examples, json_option, print_json, talk

landmarker_option = click.option(
    "--landmarker", type=click.Choice(["full", "lite"]), default="full", show_default=True
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
    They are fetched once, checked bit for bit, and kept in your cache folder.
    """
    if ctx.invoked_subcommand:
        return
    from handlore.landmarks.weights import LANDMARKERS, cache_folder, find_bundle

    rows = []
    for name in LANDMARKERS:
        bundle = find_bundle(name)
        path = str(bundle.path) if bundle else None
        rows.append({"landmarker": name, "path": path, "origin": bundle and bundle.origin})
    if as_json:
        print_json({"cache": str(cache_folder()), "bundles": rows})
        return
    for row in rows:
        where = f"{row['path']} ({row['origin']})" if row["path"] else "not on this computer"
        click.echo(f"{row['landmarker']}: {where}")
    if not rows[0]["path"]:
        click.echo("fetch it with `handlore weights fetch`; other commands do so by themselves")


@command.command("fetch")
@landmarker_option
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    help="A mediapipe wheel or .task file brought from another computer.",
)
@click.option("--force", is_flag=True, help="Fetch it again even if it is there.")
@json_option
def fetch(landmarker: str, source: Path | None, force: bool, as_json: bool) -> None:
    """Put the model into the cache, from the network or from a file.

    One download, ever: where the model is there already, nothing is fetched.
    """
    from handlore.landmarks.weights import fetch_bundle, import_bundle, require_bundle

    if source is not None:
        bundle = import_bundle(source, landmarker)
    else:
        bundle = (fetch_bundle if force else require_bundle)(landmarker, talk)
    if as_json:
        print_json(_facts(bundle))
    else:
        click.echo(f"{bundle.landmarker}: {bundle.path} ({bundle.origin})")


def _facts(bundle: "Bundle") -> dict[str, str]:
    return {
        "landmarker": bundle.landmarker,
        "path": str(bundle.path),
        "origin": bundle.origin,
        "sha256": bundle.sha256,
    }


@command.command("verify")
@landmarker_option
@json_option
def verify(landmarker: str, as_json: bool) -> None:
    """Check that the model is MediaPipe's own, bit for bit."""
    from handlore.landmarks.weights import find_bundle

    bundle = find_bundle(landmarker)
    if bundle is None:
        raise HandloreError(
            f"the {landmarker} model is not on this computer, or is damaged; fetch it with"
            f" `handlore weights fetch --landmarker {landmarker}`"
        )
    if bundle.landmarker != landmarker:
        raise HandloreError(
            f"{bundle.path} ({bundle.origin}) holds {bundle.landmarker} networks, expected"
            f" MediaPipe's {landmarker} ones"
        )
    if as_json:
        print_json(_facts(bundle))
    else:
        click.echo(f"{landmarker}: {bundle.path} is MediaPipe's own, sha256 {bundle.sha256}")
