"""Accuracy on real photos of people the classifier has not seen, and on random splits.

``python benchmarks/accuracy.py`` reads the sets in the folder HANDLORE_DATA and prints the table of
the README; ``--json FILE`` also writes it as JSON. Converting takes most of the time, so
``--converted DIR`` keeps the datasets for the next run. A photo in which no hand is found counts as
an error. "plain" is what most projects build: a random forest on wrist-relative coordinates in the
plane, scaled by the largest of them, from one look at each photo.
"""

import argparse
import json
import re
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from data import data_folder
from sklearn.ensemble import RandomForestClassifier

from handlore.classifiers.direction import POINTING_FEATURES
from handlore.classifiers.evaluation.crossval import cross_val_predict
from handlore.classifiers.evaluation.intervals import bootstrap_sums, percentiles
from handlore.classifiers.evaluation.scores import Scores, fit_samples, predict_items
from handlore.classifiers.factory import make_estimator
from handlore.classifiers.training import save_model
from handlore.datasets.conversion.batches import ConvertOptions
from handlore.datasets.conversion.convert import convert
from handlore.datasets.sources import find_source, make_source
from handlore.datasets.splits import cross_validation, groups_of
from handlore.datasets.storage import load_dataset, save_dataset
from handlore.landmarks.features import DEFAULT_FEATURES
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.opening import open_detector
from handlore.models.card import ModelCard
from handlore.models.encoders import PoseEncoder

N_VIEWS = 8
MODELS = ("linear", "forest", "xgboost", "forest+linear")
MASK = r"^(?P<label>[^_]+)_P_hgr1_(?P<group>id\d+)_"
MASSEY = r"(?P<group>hand\d)_(?P<label>\w)_"


@dataclass(frozen=True)
class Protocol:
    """A set, and how it is split."""

    title: str
    data: str
    by: str
    published: str = ""
    """What others report on the same photos, and how they split them."""
    tested: str = ""
    """The set of the same pictures that is tested on, if it is another one."""
    features: tuple[str, ...] = DEFAULT_FEATURES


SETS = {
    "hgr1": ("hgr1", "hgr1", {}),
    "masks": ("hgr1", "silhouettes", {"name_pattern": MASK}),
    "sign_digits": ("sign_digits", None, {}),
    "asl_massey": ("asl_massey", None, {"name_pattern": MASSEY}),
}
"""Folder, source and its options by name."""

PROTOCOLS = (
    Protocol("HGR1, 27 gestures, leave one of 8 people out", "hgr1", "group"),
    Protocol("HGR1, random 5-fold", "hgr1", "random", "96.3 % (ResNet-50, random split, masked)"),
    Protocol("HGR1, trained on photos, its masks as silhouettes, by person", "hgr1", "group", "",
             "masks"),
    Protocol("the same, --features image,image_distances", "hgr1", "group", "", "masks",
             ("image", "image_distances")),
    Protocol("Sign digits, random 5-fold", "sign_digits", "random", "98 % (CNN, random split)"),
    Protocol("Massey ASL, 36 signs, leave one of 3 hands out", "asl_massey", "group"),
    Protocol("the same, --features world,image,orientation", "asl_massey", "group", "", "",
             POINTING_FEATURES),
    Protocol("Massey ASL, random 5-fold", "asl_massey", "random",
             "99.4 % (Shin 2021, MediaPipe and SVM, random split)"),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="also write the table here")
    parser.add_argument("--converted", type=Path, help="folder of converted sets, kept and reused")
    parser.add_argument("--models", default=",".join(MODELS), help="separated by commas")
    parser.add_argument("--only", default=".", help="protocols whose title matches this pattern")
    options = parser.parse_args()
    rows = []
    print(f"| photos | model | views | accuracy | 95 % interval | KB | train s | published |\n"
          f"|{'---|' * 8}")  # fmt: skip
    with tempfile.TemporaryDirectory() as fallback:
        folder = options.converted or Path(fallback)
        folder.mkdir(exist_ok=True)
        for protocol in PROTOCOLS:
            if re.search(options.only, protocol.title):
                for row in measured(protocol, options.models.split(","), folder):
                    print(as_markdown(row), flush=True)
                    rows.append(row)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


def measured(protocol, models, folder):
    """Yield a row for each model, the plain one first."""
    seen = dataset_of(protocol.data, folder)
    tested = dataset_of(protocol.tested, folder) if protocol.tested else None
    head, encoder = asdict(protocol), PoseEncoder(protocol.features)
    if tested is None:
        right, units = plain(seen.select(seen.samples.view == 0), protocol.by)
        yield head | numbers(right, units) | {"model": "plain", "views": 0}
    for model in models:
        for views in (0, N_VIEWS):
            if views == 0 and (model != "forest" or tested is not None):
                continue
            shown = seen.select(seen.samples.view <= views)
            if tested is None:
                answers = cross_val_predict(make_estimator(model), shown, encoder, protocol.by)
                units = groups_of(shown)[answers.sample]
                units = units if protocol.by == "group" else np.arange(len(units))
                right, f1 = answers.truth == answers.predicted, Scores.of(answers).macro_f1
            else:
                right, units = across(model, shown, tested, encoder)
                f1 = None
            yield head | numbers(right, units) | cost(model, shown, encoder) | {
                "model": model, "views": views, "macro_f1": f1,
            }  # fmt: skip


def dataset_of(name, folder):
    """Return a set with its views, converted unless it has been."""
    path = folder / f"{name}.npz"
    if path.exists():
        return load_dataset(path)
    place, source, options = SETS[name]
    root = data_folder() / place
    with tempfile.TemporaryDirectory() as linked:
        if name == "masks":
            root = masks_alone(root, Path(linked))
        source = make_source(source or find_source(root)[0], options)
        with quiet_native_log(), open_detector() as detector:
            done = convert(source, root, detector, ConvertOptions(augment=N_VIEWS))
    save_dataset(done.dataset, path)
    return done.dataset


def masks_alone(root, folder):
    for mask in root.glob("*.bmp"):
        (folder / mask.name).symlink_to(mask)
    return folder


def plain(dataset, by):
    hands, labels = dataset.image[:, 0, :, :2], dataset.samples.label
    rows = (hands - hands[:, :1]).reshape(len(hands), -1)
    rows = np.nan_to_num(rows / np.abs(rows).max(axis=1, keepdims=True))
    right = np.zeros(len(labels), bool)
    for train, test in cross_validation(dataset, by):
        forest = RandomForestClassifier(200, random_state=0, n_jobs=-1)
        right[test] = forest.fit(rows[train], labels[train]).predict(rows[test]) == labels[test]
    right &= dataset.has_hand
    return right, groups_of(dataset) if by == "group" else np.arange(len(right))


def across(model, photos, tested, encoder):
    """Train on photos of all people but one, test on other pictures of that one."""
    right, units = [], []
    for person in np.unique(tested.samples.group):
        fitted = fit_samples(
            make_estimator(model), photos.select(photos.samples.group != person), encoder
        )
        own = tested.select(tested.samples.group == person)
        answers = predict_items(fitted.predict_proba, fitted.classes_, own, encoder)
        right.append(answers.truth == answers.predicted)
        units.append(np.full(len(answers.truth), person))
    return np.concatenate(right), np.concatenate(units)


def numbers(right, units):
    """Return accuracy and its 95 % interval by bootstrap over units (people, or photos)."""
    _, unit = np.unique(units, return_inverse=True)
    counts = np.stack([np.bincount(unit, right), np.bincount(unit)], axis=1)
    hits, sizes = bootstrap_sums(counts).T
    low, high = percentiles(hits / sizes)
    return {"accuracy": float(right.mean()), "low": low, "high": high, "n": len(right)}


def cost(model, dataset, encoder):
    started = time.perf_counter()
    fitted = fit_samples(make_estimator(model), dataset, encoder)
    seconds = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as folder:
        size = save_model(fitted, ModelCard((), model), Path(folder, "m.onnx"))
    return {"bytes": size, "seconds": seconds}


def as_markdown(row):
    size = f"{row['bytes'] / 1000:.0f}" if "bytes" in row else ""
    seconds = f"{row['seconds']:.1f}" if "seconds" in row else ""
    interval = f"{100 * row['low']:.1f}-{100 * row['high']:.1f}"
    return (
        f"| {row['title']} | {row['model']} | {row['views']} | {100 * row['accuracy']:.1f} % |"
        f" {interval} | {size} | {seconds} | {row['published']} |"
    )


if __name__ == "__main__":
    main()
