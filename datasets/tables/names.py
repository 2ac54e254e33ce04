"""What the name of a column says: a coordinate of a landmark, or a role such as label or person."""

import re
from dataclasses import dataclass
from typing import Self

from handlore.landmarks.hands import HandLandmark

_AXES = "xyz"
_SIDES = {
    **dict.fromkeys(("left", "lh", "lefthand"), "left"),
    **dict.fromkeys(("right", "rh", "righthand"), "right"),
}
_FILLERS = {
    *("landmark", "landmarks", "lm", "mark", "marks", "point", "points", "pt", "p", "kp", "joint"),
    *("keypoint", "keypoints", "coord", "coords", "coordinate", "pos", "position", "id", "norm"),
    *("hand", "hands", "finger", "normalized", "image"),
}
"""Words that say nothing beside a number and an axis."""

_JOINTS = {frozenset(one.name.lower().split("_")) - {"finger"}: int(one) for one in HandLandmark}
_JOINT_WORDS = frozenset().union(*_JOINTS)

_ROLES = {
    "label": "label label_name gesture gesture_name gesture_label class class_name class_label sign"
    " sign_name letter word gloss target category action alphabet hand_sign pose digit char"
    " character phrase labels classes gesture_num gesture_id class_id label_id class_num y",
    "group": "group person subject user signer participant performer actor person_id subject_id"
    " user_id signer_id participant_id actor_id",
    "session": "session session_id",
    "recording": "recording recording_id",
    "split": "split subset set partition usage",
    "clip": "sample clip sequence seq video clip_id sequence_id seq_id video_id video_name"
    " sample_id clip_name sequence_name video_file",
    "frame": "frame frame_id frame_number frame_no frame_idx frame_index frame_num",
    "time": "time timestamp timestamps t seconds time_s time_sec timestamp_s",
    "time_ms": "time_ms timestamp_ms milliseconds ms",
    "source": "source file filename file_name path filepath file_path image image_path image_name"
    " image_file image_id img img_path img_name",
    "side": "hand handedness side hand_side hand_type hand_label which_hand left_right",
    "score": "score handedness_score hand_score confidence hand_confidence",
    "stage": "stage",
    "width": "width image_width img_width frame_width picture_width w",
    "height": "height image_height img_height frame_height picture_height h",
    "unit": "unit",
    "kind": "kind",
    "view": "view",
    "sha256": "sha_256",
    "index": " index row_id row unnamed_0 id num no",
}
_ROLE_OF = {name: role for role, names in _ROLES.items() for name in names.split(" ")}
_PER_HAND = ("handedness", "score", "stage")


@dataclass(frozen=True)
class Coordinate:
    """A column with a coordinate of a landmark."""

    hand: str
    """``left``, ``right``, or what else is in the names of one hand's columns."""
    world: bool
    landmark: int
    """As it is written, from 0 or from 1."""
    axis: int

    @classmethod
    def of(cls, name: str) -> Self | None:
        """Return the coordinate that a column is, by its name; None if it is none."""
        words = ["pinky" if word == "little" else word for word in _words_of(name)]
        axes = [place for place, word in enumerate(words) if len(word) == 1 and word in _AXES]
        if len(axes) != 1:
            return None
        axis = _AXES.index(words.pop(axes[0]))
        joint = _JOINTS.get(frozenset(word for word in words if word in _JOINT_WORDS))
        hand, numbers = _hand_of(words, joint is not None)
        if joint is None and len(numbers) != 1:
            return None
        # More digits than any landmark has, and int() refuses thousands of them.
        if joint is None and len(numbers[0]) > 4:
            return None
        return cls(hand, "world" in words, int(numbers[0]) if joint is None else joint, axis)


def _words_of(name: str) -> list[str]:
    """Split a name of a column: ``Lm0X`` into lm, 0, x."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[xyz]$)", " ", name.strip())
    return re.findall(r"[^\W\d_]+|[0-9]+", parted.lower())


def _hand_of(words: list[str], named: bool) -> tuple[str, list[str]]:
    """Return which hand the words of a coordinate name, and the numbers that are left."""
    places = [place for place, word in enumerate(words) if word.isdigit()]
    numbers = [words[place] for place in places]
    hand = ""
    if len(numbers) > (0 if named else 1):
        after = [p for p in places if p and words[p - 1] in ("hand", "h")]
        first = after[0] if after else places[0]
        hand = words[first]
        numbers.remove(hand)
    skipped = _FILLERS | _JOINT_WORDS | {"world"}
    rest = [w for w in words if not w.isdigit() and w not in skipped and (w != "h" or not hand)]
    return " ".join([_SIDES.get(word, word) for word in rest] + [hand] * bool(hand)), numbers


def role_of(name: str) -> str:
    """Return the role of a column that is no coordinate, by its name; nothing if it has none.

    What belongs to one of several hands is followed by a dot and the hand: ``score.1``.
    """
    words = _words_of(name)
    role = _ROLE_OF.get("_".join(words), "")
    if role or len(words) < 2 or words[-1] not in _PER_HAND:
        return role
    hand = " ".join(_SIDES.get(word, word) for word in words[:-1] if word != "hand")
    return f"{'side' if words[-1] == 'handedness' else words[-1]}.{hand}"


def rank_of(name: str) -> int:
    """Return how early a name comes among those of its role: the first one is preferred."""
    joined = "_".join(_words_of(name))
    names = _ROLES.get(_ROLE_OF.get(joined, ""), "").split(" ")
    return names.index(joined) if joined in names else len(names)
