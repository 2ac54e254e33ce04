"""Progress of several fits in one bar."""

import pytest
from movement_stubs import movements

import handlore
from handlore.classifiers.progress import Steps

Seen = list[tuple[int, int]]
SMALL = {"n_kernel_features": 84, "n_augmented": 0}


def listening(seen: Seen):
    return lambda done, total: seen.append((done, total))


def check(seen: Seen, *, least: int) -> None:
    """It rises, of one total, until all is done."""
    assert len(seen) >= least
    assert len({total for _, total in seen}) == 1
    done = [share for share, _ in seen]
    assert done == sorted(done)
    assert seen[-1][0] == seen[-1][1] > 0


def test_steps_add_up() -> None:
    seen: Seen = []
    steps = Steps(4, listening(seen))
    within = steps.within()
    assert within is not None
    within(1, 2)
    within(2, 2)
    within(1, 4)  # it starts anew
    steps.finish()
    two = steps.within(2)
    assert two is not None
    two(1, 2)
    steps.close()
    assert seen == [(50, 400), (100, 400), (100, 400), (100, 400), (200, 400), (400, 400)]


def test_nobody_listens() -> None:
    steps = Steps(2, None)
    assert steps.within() is None
    steps.finish()
    steps.close()


@pytest.mark.parametrize("crossval", [pytest.param(False, marks=pytest.mark.slow), True])
def test_training(tmp_path, crossval) -> None:
    seen: Seen = []
    handlore.train(
        movements(n_people=2, each=4),
        tmp_path / "m.onnx",
        "rocket",
        params=SMALL,
        crossval=crossval,
        progress=listening(seen),
    )
    check(seen, least=8)
    assert seen[0][0] < seen[0][1] / 4, "it is seen early"


def test_cross_validation() -> None:
    seen: Seen = []
    data, options = movements(n_people=3, each=1), {"params": SMALL, "progress": listening(seen)}
    handlore.cross_validate(data, "rocket", **options)
    check(seen, least=6)
    seen.clear()
    handlore.cross_validate(data, "rocket", by="random", with_streams=False, **options)
    check(seen, least=6)
