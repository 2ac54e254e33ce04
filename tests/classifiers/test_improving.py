"""A model that learns from reviewed triggers, and is replaced only by one that is no worse."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trigger_stubs import (
    corrected,
    few_poses,
    model_on_base,
    pose_model,
    session,
    with_test_split,
    wrong_ones,
)

from handlore.classifiers import improving
from handlore.classifiers.evaluation.standings import (
    LeftOutResults,
    Standing,
    _folds,
    parts_of_sessions,
)
from handlore.classifiers.evaluation.streams import StreamScores
from handlore.classifiers.evaluation.triggers import (
    Answer,
    TriggerScores,
    choose_raises,
    raised_thresholds,
    score_answers,
)
from handlore.classifiers.improving import improve
from handlore.classifiers.lesson import Lesson
from handlore.classifiers.origin import Origin, triggers_file
from handlore.classifiers.training import train
from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.loading import load_data
from handlore.datasets.recordings import RecordingFolder
from handlore.datasets.storage import load_dataset, save_dataset
from handlore.datasets.triggers import Trigger, Triggers, load_triggers
from handlore.landmarks.errors import HandloreError
from handlore.models.files import load_model, replace_card


@pytest.fixture
def model(tmp_path: Path, dataset: LandmarkDataset) -> Path:
    return pose_model(tmp_path, dataset)


@pytest.fixture
def triggers(tmp_path: Path, dataset: LandmarkDataset) -> RecordingFolder:
    """A reviewed session: six right triggers, and four that are none."""
    folder = session(tmp_path / "triggers", dataset)
    corrected(folder, wrong_ones(folder, dataset))
    return folder


def test_it_learns(model: Path, triggers: RecordingFolder, tmp_path: Path) -> None:
    old = model.read_bytes()
    done: list[float] = []
    found = improve(model, triggers.root, progress=lambda n, of: done.append(n / of))
    assert (done == sorted(done), done[-1]) == (True, 1.0)
    assert (found.triggers.n_right, found.triggers.n_wrong, found.triggers.n_none) == (6, 4, 4)
    assert (found.worse, found.is_written) == (None, True)
    assert found.before.triggers.n_false >= 2
    assert found.after.triggers.n_false == 0
    assert (found.before.n, found.protocol) == (18, "cross-validated by group, 3 folds")
    assert found.backup == tmp_path / "poses.old.onnx"
    assert found.backup.read_bytes() == old
    card = load_model(model).card
    assert card.labels == ("fist", "none", "open_palm", "point")
    assert card.training["data"] == ["photos.npz", "poses.triggers.npz"]
    before = load_model(found.backup).card
    assert (card.estimator, card.features) == (before.estimator, before.features)
    assert card.training["params"] == before.training["params"]


@pytest.fixture
def unjudged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both models are equally good: for tests of what is learnt and written."""
    same = Standing(10, 1, TriggerScores(10, 2, 0))
    monkeypatch.setattr(improving, "tested_in_parts", lambda *given: LeftOutResults())
    monkeypatch.setattr(improving, "standings", lambda *given: (same, same))


def lesson(model: Path, folder: RecordingFolder, **how: bool) -> Lesson:
    origin = Origin.find(model)
    return Lesson.of(origin, load_triggers(folder.root, origin.model.labels, 1, **how), 5)


@pytest.mark.usefixtures("unjudged")
def test_a_second_session(model: Path, triggers: RecordingFolder, dataset: LandmarkDataset) -> None:
    """Nothing is taken twice, and what was learnt first stays in."""
    improve(model, triggers.root)
    first = load_dataset(triggers_file(model))
    with pytest.raises(HandloreError, match=r"nothing new to learn: .* knows all 10 triggers"):
        improve(model, triggers.root)
    session(triggers.root, dataset, name="live-2", each=1)
    with pytest.raises(HandloreError, match=r"none of the 5 new triggers .* has been reviewed"):
        improve(model, triggers.root)
    corrected(triggers, wrong_ones(triggers, dataset, each=1))
    found = improve(model, triggers.root)
    assert (found.triggers.n_right, found.triggers.n_wrong) == (3, 2)
    both = load_dataset(triggers_file(model)).samples
    kept = both.recording[np.isin(both.sha256, first.samples.sha256)]
    assert sorted(kept) == sorted(first.samples.recording)
    assert load_model(model).card.training["data"] == ["photos.npz", "poses.triggers.npz"]


@pytest.mark.usefixtures("unjudged")
def test_a_changed_mind(model: Path, triggers: RecordingFolder) -> None:
    """A trigger that gets another label, or is discarded, counts as it is now."""
    improve(model, triggers.root)
    first, second, *_ = triggers.entries()
    triggers.relabel(first.path, "none")
    triggers.discard(second.path)
    found = lesson(model, triggers)
    assert [one.name for one in found.new.reviewed] == ["live-1 0001"]
    samples = found.triggers.kept.samples
    assert set(samples.label[samples.recording == "live-1 0001"]) == {"none"}
    assert "live-1 0002" not in samples.recording


def test_what_it_has_seen_is_not_compared(model: Path, triggers: RecordingFolder) -> None:
    """The model so far has learnt another label, and would be wrong about it."""
    improve(model, triggers.root)
    first, *_ = triggers.entries()
    triggers.relabel(first.path, "none")
    found = improve(model, triggers.root, dry_run=True)
    assert (len(found.triggers.reviewed), found.n_relearnt) == (1, 1)
    assert found.before.triggers == found.after.triggers == TriggerScores()


def test_all_triggers_are_discarded(
    model: Path, triggers: RecordingFolder, dataset: LandmarkDataset
) -> None:
    """The model forgets them, and learns those of another session anew."""
    before = load_model(model).card.training["data_digest"]
    backup = improve(model, triggers.root).backup
    assert backup is not None
    for entry in triggers.entries():
        triggers.discard(entry.path)
    learnt = model.read_bytes()
    found = improve(model, triggers.root)
    assert (found.n_forgotten, found.is_written, found.triggers.reviewed) == (10, True, ())
    card = load_model(model).card
    assert (card.training["data"], card.training["data_digest"]) == (["photos.npz"], before)
    assert not triggers_file(model).exists()
    with pytest.raises(HandloreError, match="holds no triggers"):
        improve(model, triggers.root)
    model.write_bytes(learnt)
    again = improve(model, triggers.root)
    assert again.is_written, "the model that was put back knows them"
    assert "is not there: the new model will not know the triggers" in again.notes[0]
    for entry in triggers.entries(discarded=True):
        triggers.restore(entry.path)
    assert len(improve(model, triggers.root).triggers.reviewed) == 10


def test_discarded_triggers_count_before(model: Path, triggers: RecordingFolder) -> None:
    """The model so far knows them, the new one does not."""
    improve(model, triggers.root)
    for number in (7, 8, 9, 10):
        triggers.discard(triggers.find([number])[0].path)
    origin = Origin.find(model)
    folds = list(_folds(origin, lesson(model, triggers)))
    assert all("none" in fold.before.labels for fold in folds)
    assert all("none" not in fold.after.labels for fold in folds)


def test_gestures_of_the_base_are_not_forgotten(tmp_path: Path, dataset: LandmarkDataset) -> None:
    """Fists that are called ``point`` a hundred times: one's own samples would not notice it."""
    model = model_on_base(tmp_path, dataset, "point")
    folder = session(tmp_path / "triggers", few_poses(dataset), each=6)
    fists = [entry.number for entry in folder.entries() if entry.label == "fist"]
    corrected(folder, fists, "point")
    found = improve(model, folder.root)
    assert (found.before.n, found.before.n_base) == (6, 12)
    assert found.before.n_base_wrong < found.after.n_base_wrong
    assert "its accuracy on the gestures of its base is" in str(found.worse)
    assert found.before.as_json()["base"]["n"] == 12
    assert not found.is_written


def test_gestures_of_the_base_beside_a_test_split(tmp_path: Path, dataset: LandmarkDataset) -> None:
    model = model_on_base(tmp_path, with_test_split(dataset), "point")
    folder = session(tmp_path / "triggers", few_poses(dataset))
    corrected(folder, [])
    done: list[float] = []
    found = improve(model, folder.root, progress=lambda n, of: done.append(n / of))
    assert (found.before.n, found.before.n_base, done[-1]) == (2, 12, 1.0)


@pytest.mark.usefixtures("unjudged")
def test_all_labels_are_right(model: Path, dataset: LandmarkDataset, tmp_path: Path) -> None:
    """They count as reviewed, once a model has learnt them."""
    folder = session(tmp_path / "triggers", dataset)
    improve(model, folder.root, all_reviewed=True, dry_run=True)
    assert all(entry.needs_review for entry in folder.entries())
    improve(model, folder.root, all_reviewed=True)
    assert not any(entry.needs_review for entry in folder.entries())
    with pytest.raises(HandloreError, match="nothing new to learn"):
        improve(model, folder.root)


@pytest.mark.usefixtures("unjudged")
def test_all_labels_are_right_in_a_folder_that_cannot_be_written(
    model: Path, dataset: LandmarkDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: object) -> None:
        raise HandloreError("cannot write")

    folder = session(tmp_path / "triggers", dataset)
    monkeypatch.setattr(RecordingFolder, "confirm", read_only)
    found = improve(model, folder.root, all_reviewed=True)
    assert found.is_written
    assert found.notes[-1] == "the triggers still count as not reviewed: cannot write"


def test_what_nobody_has_reviewed(model: Path, dataset: LandmarkDataset, tmp_path: Path) -> None:
    folder = session(tmp_path / "triggers", dataset)
    (one, *_) = wrong_ones(folder, dataset)
    folder.relabel(folder.find([one])[0].path, "none")
    found = lesson(model, folder).new
    assert ([one.is_right for one in found.reviewed], found.n_unreviewed) == ([False], 9)
    every = lesson(model, folder, all_reviewed=True).new
    assert (sum(one.is_right for one in every.reviewed), every.n_unreviewed) == (9, 0)


def test_other_triggers(model: Path, triggers: RecordingFolder) -> None:
    """What another model emitted is not learnt; its gestures are none for this one."""
    (first, *_) = triggers.entries()
    other = load_dataset(first.path)
    event = {"label": "swipe", "start": 1.0, "end": 1.5}
    options = {**other.header.options, "event": event}
    triggers.keep(replace(other, header=replace(other.header, options=options)))
    triggers.relabel(first.path, "swipe")
    found = lesson(model, triggers).new
    assert [one.label for one in found.reviewed].count("none") == 5
    assert found.n_other == 1


def test_labels_are_not_forgotten(model: Path, triggers: RecordingFolder, tmp_path: Path) -> None:
    data = load_dataset(tmp_path / "photos.npz")
    save_dataset(data.select(data.samples.label != "point"), tmp_path / "photos.npz")
    with pytest.raises(HandloreError, match=r"photos\.npz has no samples of point, which .* knows"):
        improve(model, triggers.root)


def test_a_split_that_changed(dataset: LandmarkDataset, tmp_path: Path) -> None:
    data = with_test_split(dataset)
    model = pose_model(tmp_path, data)
    assert Origin.find(model).notes == ()
    swapped = np.where(data.samples.split == "test", "train", "test")
    save_dataset(
        replace(data, samples=replace(data.samples, split=swapped)), tmp_path / "photos.npz"
    )
    (note,) = Origin.find(model).notes
    assert "12 test samples were among the training data" in note


@pytest.mark.parametrize("name", ["photos.npz", "other.npz"])
def test_only_a_model_is_replaced(
    model: Path, triggers: RecordingFolder, tmp_path: Path, name: str
) -> None:
    (tmp_path / "other.npz").write_bytes((tmp_path / "photos.npz").read_bytes())
    with pytest.raises(HandloreError, match=rf"{name} exists and is not a model"):
        improve(model, triggers.root, tmp_path / name)
    assert load_dataset(tmp_path / name).n_samples


def test_training_data_are_no_triggers(model: Path, triggers: RecordingFolder) -> None:
    data = [model.with_name("photos.npz"), triggers.root]
    with pytest.raises(HandloreError, match="record live sessions into another"):
        improve(model, triggers.root, data=data)


def test_a_backup_that_cannot_be_written(
    model: Path, triggers: RecordingFolder, tmp_path: Path
) -> None:
    (tmp_path / "poses.old.onnx").mkdir()
    with pytest.raises(HandloreError, match=r"poses\.old\.onnx"):
        improve(model, triggers.root, progress=lambda n, of: pytest.fail("it trained"))
    assert not (tmp_path / "poses.triggers.npz").exists()


def reviewed(root: Path, dataset: LandmarkDataset, name: str) -> RecordingFolder:
    folder = session(root, dataset, name=name)
    corrected(folder, wrong_ones(folder, dataset))
    return folder


def sessions_beside(model: Path) -> set[str]:
    return set(map(str, load_dataset(triggers_file(model)).samples.session))


def test_what_was_undone_is_not_learnt_again(
    model: Path, triggers: RecordingFolder, dataset: LandmarkDataset, tmp_path: Path
) -> None:
    improve(model, triggers.root)
    backup = improve(model, reviewed(tmp_path / "b", dataset, "live-2").root).backup
    assert sessions_beside(model) == {"live-1", "live-2"}
    shutil.copy(backup, model)
    improve(model, reviewed(tmp_path / "c", dataset, "live-3").root)
    assert sessions_beside(model) == {"live-1", "live-3"}


def test_a_model_that_was_trained_anew(
    model: Path, triggers: RecordingFolder, dataset: LandmarkDataset, tmp_path: Path
) -> None:
    """It does not know the triggers of the one before, and their file must not be lost."""
    improve(model, triggers.root)
    improved = model.read_bytes()
    data = tmp_path / "photos.npz"
    notes = train(data, model, "linear", features=["world"]).notes
    assert "had learnt corrected triggers, and the new model has not" in notes[0]
    assert f"train DATA {triggers_file(model)} --out {model}` learns them too" in notes[0]
    assert (tmp_path / "poses.old.onnx").read_bytes() == improved
    shutil.copy(tmp_path / "poses.old.onnx", model)
    both = [data, triggers_file(model)]
    notes = train(load_data(both).dataset, model, "linear", data=both).notes
    assert not any("had learnt" in note or "is kept" in note for note in notes)
    train(data, model, "linear", features=["world"])
    improve(model, reviewed(tmp_path / "b", dataset, "live-2").root)
    assert sessions_beside(model) == {"live-2"}
    kept = load_dataset(tmp_path / "poses.old.triggers.npz")
    assert set(kept.samples.session) == {"live-1"}


def test_another_improvement_at_the_same_time(
    model: Path, triggers: RecordingFolder, dataset: LandmarkDataset, tmp_path: Path
) -> None:
    """Whoever is last must not undo what the first has learnt."""

    def meanwhile(done: int, total: int) -> None:
        if not triggers_file(model).exists():
            improve(model, reviewed(tmp_path / "b", dataset, "live-2").root)

    with pytest.raises(HandloreError, match="written by something else while this ran"):
        improve(model, triggers.root, progress=meanwhile)
    assert sessions_beside(model) == {"live-2"}


def test_damaged_triggers_beside_a_model(model: Path, triggers: RecordingFolder) -> None:
    improve(model, triggers.root)
    triggers_file(model).write_bytes(b"PK nonsense")
    with pytest.raises(HandloreError, match=r"poses.triggers.npz .*: move it away, and give those"):
        improve(model, triggers.root)
    triggers_file(model).unlink()
    assert len(improve(model, triggers.root).triggers.reviewed) == 10


def test_a_model_that_is_put_back_knows_no_triggers(model: Path, triggers: RecordingFolder) -> None:
    backup = improve(model, triggers.root).backup
    assert backup is not None
    backup.replace(model)
    assert Origin.find(model).triggers is None
    assert len(improve(model, triggers.root, dry_run=True).triggers.reviewed) == 10


@pytest.fixture
def training_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training on the triggers makes the model worse."""
    compare = improving.standings

    def swapped(*given: Any) -> tuple[Standing, Standing]:
        before, after = compare(*given)
        return before, replace(after, n_wrong=before.n_wrong + 5)

    monkeypatch.setattr(improving, "standings", swapped)


@pytest.mark.usefixtures("training_fails")
def test_never_worse(model: Path, triggers: RecordingFolder, tmp_path: Path) -> None:
    names, old = sorted(tmp_path.iterdir()), model.read_bytes()
    found = improve(model, triggers.root)
    assert found.worse is not None
    assert found.worse.startswith("its accuracy on the data is 72.2 %")
    assert not found.is_written
    assert (sorted(tmp_path.iterdir()), model.read_bytes()) == (names, old)


@pytest.mark.parametrize(
    ("n", "wrong", "after", "worse"),
    [(20, 1, 2, False), (20, 1, 3, True), (1000, 50, 55, False), (1000, 50, 56, True)],
)
def test_accuracy_may_not_fall(n: int, wrong: int, after: int, worse: bool) -> None:
    old, new = (Standing(n, count, TriggerScores(10, 2, 0)) for count in (wrong, after))
    found = improving.Improvement(
        "m", Path("m"), old, new, "", Triggers(Path("t"), (), frozenset())
    )
    assert (found.worse is not None) == worse
    if worse:
        assert f"{100 * new.accuracy:.1f} %, before {100 * old.accuracy:.1f} %" in str(found.worse)


def test_each_session_is_divided(dataset: LandmarkDataset, tmp_path: Path) -> None:
    """Whoever uses the model was in the session that it learnt from, and is so in the test."""
    folder = session(tmp_path / "triggers", dataset)
    (first, *_) = load_triggers(folder.root, dataset.labels, 1, all_reviewed=True).reviewed

    def triggers(name: str, n: int) -> list[Trigger]:
        samples = replace(first.recording.samples, session=np.array([name]))
        return [replace(first, recording=replace(first.recording, samples=samples))] * n

    parts = parts_of_sessions([*triggers("monday", 6), *triggers("tuesday", 7)], 3)
    assert parts == [0, 0, 1, 1, 2, 2, 1, 1, 1, 2, 2, 0, 0]
    short = [one for day in "abcdef" for one in triggers(day, 1)]
    assert parts_of_sessions(short, 3) == [0, 1, 2, 0, 1, 2]


def in_streams(n_false: int, n_found: int, triggers: TriggerScores) -> Standing:
    return Standing(10, 1, triggers, StreamScores(100, n_found, 0, n_false, 60.0))


@pytest.mark.parametrize(
    ("after", "worse"),
    [
        # Right triggers that are missed show nothing: the model before has chosen them.
        (in_streams(10, 80, TriggerScores(50, 5, 20)), False),
        (in_streams(10, 60, TriggerScores(50, 5, 0)), False),
        (in_streams(10, 50, TriggerScores(50, 5, 0)), True),
        (in_streams(2, 60, TriggerScores(50, 10, 0)), True),
        (in_streams(0, 60, TriggerScores(50, 10, 0)), False),
        (in_streams(10, 79, TriggerScores(50, 10, 0)), False),
        # A third of the gestures is too much for whatever it saves.
        (in_streams(0, 50, TriggerScores(50, 0, 0)), True),
    ],
)
def test_false_activations_against_missed_gestures(after: Standing, worse: bool) -> None:
    before = in_streams(10, 80, TriggerScores(50, 10, 0))
    assert (improvement(before, after, 50).worse is not None) == worse


def test_streams_count_where_no_trigger_can_be_compared() -> None:
    """As when triggers are forgotten, or learnt with another label."""
    before, after = in_streams(10, 80, TriggerScores()), in_streams(10, 60, TriggerScores())
    assert improvement(before, after, 50).worse is not None
    assert improvement(before, before, 50).worse is None


@pytest.mark.parametrize(("missed", "worse"), [(3, False), (4, True)])
def test_less_than_one_missed_gesture_is_tolerated(missed: int, worse: bool) -> None:
    """The streams have 100 gestures and 25 triggers are learnt: a missed one counts a quarter."""
    before, after = (in_streams(10, n, TriggerScores()) for n in (80, 80 - missed))
    assert (improvement(before, after, 25).worse is not None) == worse


def test_nothing_is_lost_for_nothing() -> None:
    """Two right triggers gain nothing, however little 29 gestures in streams weigh beside them."""
    none = TriggerScores(2, 0, 0)
    before = Standing(29, 1, none, StreamScores(29, 20, 0, 3, 60.0))
    for n_found, n_false, worse in ((18, 8, True), (16, 3, True), (19, 3, False), (20, 4, False)):
        after = Standing(29, 1, none, StreamScores(29, n_found, 0, n_false, 60.0))
        assert (improvement(before, after, 2).worse is not None) == worse


def improvement(before: Standing, after: Standing, n_forgotten: int) -> improving.Improvement:
    none = Triggers(Path("t"), (), frozenset())
    return improving.Improvement("m", Path("m"), before, after, "", none, n_forgotten=n_forgotten)


def test_test_people_stay_test_people(dataset: LandmarkDataset, tmp_path: Path) -> None:
    model = pose_model(tmp_path, with_test_split(dataset))
    folder = session(tmp_path / "triggers", dataset)
    corrected(folder, wrong_ones(folder, dataset))
    found = improve(model, folder.root)
    assert (found.before.n, found.protocol) == (6, "the test split")
    assert found.before.streams is not None
    tested = load_dataset(tmp_path / "photos.npz")
    last = tested.samples.group[tested.samples.split == "test"]
    assert not set(last) & set(load_model(model).card.training["groups"])


@pytest.mark.usefixtures("unjudged")
def test_another_file(model: Path, triggers: RecordingFolder, tmp_path: Path) -> None:
    old, out = model.read_bytes(), tmp_path / "more" / "better.onnx"
    out.parent.mkdir()
    found = improve(model, triggers.root, out)
    assert (found.backup, model.read_bytes()) == (None, old)
    assert load_model(out).card.training["data"] == ["../photos.npz", "better.triggers.npz"]
    assert Origin.find(out).triggers is not None


@pytest.mark.usefixtures("unjudged")
def test_moved_data(model: Path, triggers: RecordingFolder, tmp_path: Path) -> None:
    moved = (tmp_path / "photos.npz").rename(tmp_path / "moved.npz")
    with pytest.raises(HandloreError, match=r"trained on .*photos\.npz, which is not there"):
        improve(model, triggers.root)
    assert improve(model, triggers.root, data=[moved]).is_written
    assert load_model(model).card.training["data"][0] == "moved.npz"


def test_moved_together(model: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    for file in (model, tmp_path / "photos.npz"):
        file.rename(tmp_path / "elsewhere" / file.name)
    origin = Origin.find(tmp_path / "elsewhere" / model.name)
    assert [one.name for one in origin.paths] == ["photos.npz"]


@pytest.mark.usefixtures("unjudged")
@pytest.mark.parametrize("triggers_name", ["sign.triggers.npz", "poses.triggers.npz"])
def test_a_renamed_model(model: Path, triggers: RecordingFolder, triggers_name: str) -> None:
    """Its triggers are still no data, whether they were renamed with it or not."""
    improve(model, triggers.root)
    learnt = load_dataset(triggers_file(model)).digest()
    triggers_file(model).rename(model.with_name(triggers_name))
    renamed = model.rename(model.with_name("sign.onnx"))
    origin = Origin.find(renamed)
    assert [one.name for one in origin.paths] == ["photos.npz"]
    assert origin.triggers is not None
    assert (origin.triggers.digest(), origin.notes) == (learnt, ())
    with pytest.raises(HandloreError, match="nothing new to learn"):
        improve(renamed, triggers.root)


@pytest.mark.usefixtures("unjudged")
@pytest.mark.parametrize("stranger", ["sign.triggers.npz", "poses.triggers.npz"])
def test_triggers_of_another_model(
    model: Path, triggers: RecordingFolder, dataset: LandmarkDataset, stranger: str
) -> None:
    """After a copy over a model that had triggers, or with a successor of the same name."""
    improve(model, triggers.root)
    learnt, table = load_dataset(triggers_file(model)), dataset.samples
    other = replace(table, sha256=np.array([f"other {k}" for k in range(len(table))]))
    for name in ("sign.triggers.npz", "poses.triggers.npz"):
        triggers_there = replace(dataset, samples=other) if name == stranger else learnt
        save_dataset(triggers_there, model.with_name(name))
    found = Origin.find(model.rename(model.with_name("sign.onnx"))).triggers
    assert found is not None
    assert found.digest() == learnt.digest()


@pytest.mark.usefixtures("unjudged")
def test_a_backup_that_knows_triggers(
    model: Path, triggers: RecordingFolder, dataset: LandmarkDataset
) -> None:
    """It lists those of its successor, under another name than its own."""
    improve(model, triggers.root)
    session(triggers.root, dataset, name="live-2", each=1)
    backup = improve(model, triggers.root, all_reviewed=True).backup
    assert backup is not None
    origin = Origin.find(backup)
    assert [one.name for one in origin.paths] == ["photos.npz"]
    assert {one.name[:6] for one in lesson(backup, triggers).new.reviewed} == {"live-2"}


@pytest.mark.usefixtures("unjudged")
def test_triggers_that_were_moved(model: Path, triggers: RecordingFolder, tmp_path: Path) -> None:
    improve(model, triggers.root)
    (tmp_path / "away").mkdir()
    moved = triggers_file(model).rename(tmp_path / "away" / "all.triggers.npz")
    (note,) = Origin.find(model).notes
    assert "poses.triggers.npz is not there" in note
    assert "say with --data where they are" in note
    for data in ([moved], [tmp_path / "photos.npz", moved]):
        origin = Origin.find(model, data)
        assert (origin.paths, origin.notes) == ((tmp_path / "photos.npz",), ())
        assert origin.triggers is not None
    with pytest.raises(HandloreError, match=r"there is no file .*gone\.triggers\.npz"):
        Origin.find(model, str(tmp_path / "gone.triggers.npz"))


@pytest.mark.usefixtures("unjudged")
def test_triggers_are_no_data_of_a_label(
    model: Path, triggers: RecordingFolder, tmp_path: Path
) -> None:
    improve(model, triggers.root)
    data = load_dataset(tmp_path / "photos.npz")
    save_dataset(data.select(data.samples.label != "point"), tmp_path / "photos.npz")
    with pytest.raises(HandloreError, match=r"photos\.npz has no samples of point, which .* knows"):
        Origin.find(model)


def test_a_model_of_triggers_alone(
    model: Path, triggers: RecordingFolder, dataset: LandmarkDataset, tmp_path: Path
) -> None:
    """Whoever trains on them chose them as data."""
    only, out = tmp_path / "few.triggers.npz", tmp_path / "own.onnx"
    save_dataset(few_poses(dataset), only)
    train(few_poses(dataset), out, "linear", features=["world"], data=[only])
    assert (Origin.find(out).paths, Origin.find(out).triggers) == ((only,), None)


def test_model_that_names_no_data(
    dataset: LandmarkDataset, triggers: RecordingFolder, tmp_path: Path
) -> None:
    few = few_poses(dataset)
    train(few, tmp_path / "own.onnx", "linear", features=["world"])
    with pytest.raises(HandloreError, match="name its data with --data"):
        improve(tmp_path / "own.onnx", triggers.root)
    save_dataset(few, tmp_path / "own.npz")
    assert Origin.find(tmp_path / "own.onnx").paths == (tmp_path / "own.npz",)


def test_ready_model(triggers: RecordingFolder, tmp_path: Path) -> None:
    with pytest.raises(HandloreError, match=r"comes with handlore .* --out my_everyday\.onnx"):
        improve("everyday", triggers.root)
    origin = Origin.find("everyday")
    assert (origin.base, origin.paths) == ("everyday", ())
    assert "of them are kept beside it" in origin.notes[0]


def test_nothing_there(model: Path, tmp_path: Path, dataset: LandmarkDataset) -> None:
    empty = RecordingFolder.open(tmp_path / "none")
    with pytest.raises(HandloreError, match="no recordings of a live run"):
        improve(model, empty.root)
    with pytest.raises(HandloreError, match=r"does not exist"):
        improve(model, tmp_path / "nowhere")


@pytest.mark.usefixtures("unjudged")
def test_calibrated_thresholds_are_kept(model: Path, triggers: RecordingFolder) -> None:
    card = load_model(model).card
    chosen = replace(card, thresholds={"point": 0.77}, calibration={"n": 3})
    replace_card(model, chosen)
    found = improve(model, triggers.root)
    assert load_model(model).card.thresholds["point"] == 0.77
    assert any("calibrate again" in note for note in found.notes)


@pytest.mark.usefixtures("unjudged")
def test_stopped_while_writing(
    model: Path,
    triggers: RecordingFolder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between triggers and model: the old model is whole, and learns the same the next time."""
    old, copy = model.read_bytes(), improving._copy

    def stopped(source: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(improving, "_copy", stopped)
    with pytest.raises(KeyboardInterrupt):
        improve(model, triggers.root)
    assert model.read_bytes() == old
    monkeypatch.setattr(improving, "_copy", copy)
    found = improve(model, triggers.root)
    assert (found.triggers.n_right, found.triggers.n_wrong, found.is_written) == (6, 4, True)
    assert len(set(load_dataset(triggers_file(model)).samples.recording)) == 10


@pytest.mark.slow
def test_a_second_session_has_half_as_many_false_activations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fifth of the triggers of the first session is wrong; the hands are rendered."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    from improve import movements, rendered_movements, run

    trial = movements(rendered_movements(), 4, 0)
    before, after = run(trial, tmp_path, params={"n_kernel_features": "300", "n_augmented": "1"})
    assert before.n_false >= 4
    assert after.n_false <= before.n_false / 2
    assert after.n_right / after.n_test >= before.n_right / before.n_test - 0.005
    assert after.n_found >= 0.9 * before.n_found


def test_thresholds_of_labels_with_false_activations(
    model: Path, dataset: LandmarkDataset, tmp_path: Path
) -> None:
    """Only they are raised, and only if it costs less than it saves."""
    folder = session(tmp_path / "triggers", dataset)
    corrected(folder, wrong_ones(folder, dataset))
    old = load_model(model)
    answers = [Answer.of(old, one) for one in load_triggers(folder.root, old.labels, 1).reviewed]
    plain, raises = score_answers(answers), choose_raises(answers)
    assert set(raises) <= {"point"}
    assert score_answers(answers, raises).cost <= plain.cost
    assert raised_thresholds(old, {"point": 0.3}) == {"point": 0.8}
    assert raised_thresholds(old, {"point": 0.9}) == {"point": 0.95}
