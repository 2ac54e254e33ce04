"""A report of made-up answers, with everything that a report can show."""

from html.parser import HTMLParser

import numpy as np

from handlore.classifiers.evaluation.evaluation import Evaluation
from handlore.classifiers.evaluation.importance import Importance
from handlore.classifiers.evaluation.leaks import Leaks, _Leak
from handlore.classifiers.evaluation.scores import Predictions
from handlore.datasets.dataset import Header, LandmarkDataset, Samples
from handlore.report.findings import About, Findings

PARTS = ("thumb", "index", "middle", "ring", "pinky", "in-plane rotation")


def outcome_of(n_labels: int, each: int = 8) -> Evaluation:
    """Answers of which some are wrong, some late found and some without a hand."""
    rng, n = np.random.default_rng(0), n_labels * each
    labels = np.array([f"gesture number {k}" if k % 3 else f"g{k}" for k in range(n_labels)] * each)
    image = rng.normal(0.5, 0.1, (n, 1, 21, 3)).astype(np.float32)
    stage = rng.choice([0, 0, 1, 4, 7, 9], (n, 1)).astype(np.int8)
    lost = np.arange(n) % 11 == 5
    image[lost], stage[lost] = np.nan, -1
    side = np.where(lost, np.nan, 1.0).astype(np.float32)[:, None]
    samples = Samples.make(
        labels.tolist(),
        group=[f"person {i % 7}" for i in range(n)],
        source=[f"some folder/picture number {i:05d} & more.jpg" for i in range(n)],
    )
    header = Header(options={"source": "images"}, note="CC BY 4.0")
    dataset = LandmarkDataset(
        image,
        image.copy(),
        side,
        side.copy(),
        stage,
        np.zeros(n),
        np.arange(n + 1),
        samples,
        header,
    )
    wrong = rng.random(n) < 0.2
    said = np.where(wrong, rng.choice(labels, n), labels)
    said[lost] = "none"
    sure = np.where(lost, np.nan, rng.uniform(0.2, 1, n)).astype(np.float32)
    leaks = Leaks(1, 1, (_Leak("a.jpg", "b.jpg", None), _Leak("c.jpg", "d.jpg", 0.001)))
    worth = [Importance(part, 0.05 * k, 100) for k, part in enumerate(PARTS)]
    return Evaluation.of(Predictions(labels, said, sure, lost, np.arange(n)), dataset, leaks, worth)


def findings_of(n_labels: int) -> Findings:
    """Return what a report is made of."""
    epochs = [{"epoch": k, "loss": 2 / k, "accuracy": 1 - 1 / k, "val_loss": 3 / k,
               "val_accuracy": 1 - 1.5 / k if k > 1 else None} for k in range(1, 9)]  # fmt: skip
    about = About(
        "forest: how well it recognises hands it has not seen",
        {"Model": "forest", "Data": "photos.npz", "Protocol": "cross-validated by group, 7 folds"},
        ["a note of some length that warns"],
        epochs,
        {"File": "812 KB"},
        {"Parameters": "n_estimators 200"},
    )
    return Findings.of(outcome_of(n_labels), about)


EVIL = '<b>&"<script>alert(1)</script>'


class Outline(HTMLParser):
    """Notes every tag, every address and all text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attributes if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data
