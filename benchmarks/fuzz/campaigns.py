"""The campaigns: each writes damaged input and reads it as a command does."""

import io
import json
import tarfile
import zipfile
from pathlib import Path

import cv2
import numpy as np
from mutations import changed_bytes, changed_graph, changed_head, changed_text, changed_zip
from PIL import Image

from handlore.capture.actions.file import load_actions
from handlore.datasets.archives import unpacked
from handlore.datasets.dataset import LandmarkDataset, Samples
from handlore.datasets.files import files_of
from handlore.datasets.loading import load_data
from handlore.datasets.pictures import read_picture
from handlore.datasets.rendered import POSES, Person, Scene, render_pose
from handlore.datasets.sources import find_source, make_source
from handlore.datasets.storage import save_dataset
from handlore.datasets.videos import read_video
from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.hands import Hand
from handlore.landmarks.weights import import_bundle
from handlore.models.files import load_model
from handlore.models.model import PoseModel

OLDER = Path(__file__).parents[2] / "tests" / "older_files"


def chosen(rng, values):
    """Return one of several values."""
    values = list(values)
    return values[int(rng.integers(len(values)))]


def hands(n, seed=0):
    """Return the hands of rendered people, and their labels."""
    rng = np.random.default_rng(seed)
    labels = [list(POSES)[k % 4] for k in range(n)]
    drawn = [
        render_pose(label, Person.random(k % 5), Scene.random(rng), size=(48, 48))
        for k, label in enumerate(labels)
    ]
    return [[Hand(one.image, one.world, one.handedness)] for one in drawn], labels


class Good:
    """Whole files, which the campaigns damage; made once."""

    def __init__(self, folder):
        self.folder = folder
        slots, labels = hands(24)
        poses = LandmarkDataset.of_hands(slots, Samples.make(labels, group=list("abcd" * 6)))
        save_dataset(poses, folder / "poses.npz")
        self.datasets = [(folder / "poses.npz").read_bytes(), (OLDER / "moves.npz").read_bytes()]
        self.recordings = {
            path.relative_to(OLDER / "recordings"): path.read_bytes()
            for path in sorted((OLDER / "recordings").rglob("*"))
            if path.is_file()
        }
        self.models = {path.name: path.read_bytes() for path in sorted(OLDER.glob("*.onnx"))}
        self.pictures = self._pictures()
        self.videos = self._videos()
        self.tables = self._tables(poses)

    def _pictures(self):
        image = Image.radial_gradient("L").resize((160, 120)).convert("RGB")
        made = {}
        kinds = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM", "JPEG2000", "AVIF")
        for kind, mode in [(kind, "RGB") for kind in kinds] + [("PNG", "RGBA"), ("PNG", "P")]:
            stream = io.BytesIO()
            image.convert(mode).save(stream, kind)
            made[f"{kind.lower()}{mode}"] = stream.getvalue()
        for ending in ("ras", "hdr"):
            pixels = np.asarray(image, np.float32 if ending == "hdr" else np.uint8)
            made[ending] = cv2.imencode(f".{ending}", pixels)[1].tobytes()
        return made

    def _videos(self):
        made = {}
        for ending, codec in (("mp4", "mp4v"), ("avi", "MJPG"), ("mkv", "MJPG"), ("mov", "mp4v")):
            path = self.folder / f"good.{ending}"
            code = cv2.VideoWriter_fourcc(*codec)
            writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, 20, (64, 48))
            for number in range(12):
                writer.write(np.full((48, 64, 3), 20 * number, np.uint8))
            writer.release()
            made[ending] = path.read_bytes()
        frames = [Image.new("RGB", (40, 30), (40 * n, 0, 0)) for n in range(5)]
        stream = io.BytesIO()
        frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:], duration=50)
        return made | {"gif": stream.getvalue()}

    def _tables(self, poses):
        flat = poses.image.reshape(len(poses.image), -1)
        rows = [",".join([str(poses.samples.label[k]), *map(str, flat[k])]) for k in range(24)]
        names = ["label", *(f"{axis}{k}" for k in range(21) for axis in "xyz")]
        pixels = np.random.default_rng(0).integers(0, 256, (12, 28 * 28))
        grid = [",".join(map(str, [k % 3, *pixels[k]])) for k in range(12)]
        flat_xy = poses.image[:, 0, :, :2].reshape(24, -1)
        points = [",".join(map(str, [k % 3, *flat_xy[k]])) for k in range(24)]
        records = [{"label": "a", "landmarks": poses.image[k, 0].tolist()} for k in range(4)]
        stream = io.BytesIO()
        np.save(stream, poses.image[0, 0])
        return {
            "hands.csv": "\n".join([",".join(names), *rows]).encode(),
            "pixels.csv": "\n".join(
                ["label," + ",".join(f"p{k}" for k in range(784)), *grid]
            ).encode(),
            "keypoint.csv": "\n".join(points).encode(),
            "hands.json": json.dumps(records).encode(),
            "hands.jsonl": "\n".join(map(json.dumps, records)).encode(),
            "MP_Data/a/0/0.npy": stream.getvalue(),
        }


def read_source(path):
    """Read every item of a folder or file, as convert does."""
    name, _ = find_source(path)
    source = make_source(name, {})
    for item in source.scan(path).items[:50]:
        try:
            clip = source.read(item)
            for _ in clip.frames:
                pass
        except InvalidDataError:
            continue


def run_command(*words):
    """Run a command in this process."""
    from handlore.cli import main

    main([str(word) for word in words], prog_name="handlore")


def datasets(rng, good, folder):
    data = chosen(rng, good.datasets)
    path = folder / "x.npz"
    path.write_bytes(chosen(rng, (changed_zip, changed_zip, changed_bytes))(rng, data))
    pose, moves = OLDER / "poses-linear.onnx", OLDER / "movements.onnx"
    commands = [("info", path), ("info", path, "--json"), ("evaluate", pose, path)]
    commands += [("replay", moves, path), ("replay", pose, path, "--json")]
    run_command(*chosen(rng, commands))


def recordings(rng, good, folder):
    names = list(good.recordings)
    damaged = {chosen(rng, names) for _ in range(int(rng.integers(1, 3)))}
    for name, data in good.recordings.items():
        target = folder / "gestures" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if name in damaged:
            change = changed_zip if name.suffix == ".npz" and rng.random() < 0.7 else changed_bytes
            target.write_bytes(change(rng, data))
        else:
            target.write_bytes(data)
    root = folder / "gestures"
    match int(rng.integers(3)):
        case 0:
            run_command("recordings", "list", root, *chosen(rng, [(), ("--json",)]))
        case 1:
            run_command("replay", OLDER / "movements.onnx", root)
        case _:
            load_data([root])


def models(rng, good, folder):
    data = chosen(rng, good.models.values())
    path = folder / "x.onnx"
    change = chosen(rng, (changed_graph, changed_graph, changed_bytes, changed_head))
    path.write_bytes(change(rng, data))
    model = load_model(path)
    if isinstance(model, PoseModel):
        rows = rng.normal(size=(int(rng.integers(1, 40)), model.card.n_features))
        model.predict_known(rows.astype(np.float32))
    else:
        shape = (3, model.encoder.n_channels, model.encoder.n_timepoints)
        model.predict_clips(rng.normal(size=shape).astype(np.float32))


ACTIONS = """
[arming]
label = "open_palm"
seconds = 10
[[actions.fist]]
run = [ "playerctl" , "play-pause" , "{label}" ]
cooldown = 2
timeout = 5
[[actions.swipe_left]]
key = "ctrl+left"
hand = "left"
[[actions.swipe_left]]
say = "{hand} hand, {probability}"
[actions.thumbs_up]
post = "http://localhost:8123/api/webhook/thumbs"
headers = { Authorization = "Bearer x" }
[[actions.open_palm]]
run = [ "wpctl" , "set-volume" , "{volume}%" ]
map = { volume = "pinch" , bass = "rotation" }
from = [ -60 , 60 ]
range = [ 0 , 100 ]
rate = 10
dead_band = 0.01
until = [ "fist" , "thumbs_up" ]
[[actions.open_palm]]
mouse = "pointer"
speed = 2500
pinch = false
until = "fist"
[[actions.fist]]
key = "volume_up"
on = "hold"
repeat = 0.2
after = 1.0
[actions."*"]
mqtt = "hands/{label}"
broker = "mqtt://user:password@localhost:1883"
"""


def actions(rng, good, folder):
    path = folder / "a.toml"
    path.write_bytes(changed_text(rng, ACTIONS.replace("\n", " \n ")))
    labels = ["fist", "swipe_left", "thumbs_up", "open_palm", "$(x)", "-rf"]
    load_actions(path, labels, check_computer=False)


def pictures(rng, good, folder):
    name, data = chosen(rng, good.pictures.items())
    path = folder / f"x.{name}"
    path.write_bytes(chosen(rng, (changed_bytes, changed_head))(rng, data))
    read_picture(path)


def videos(rng, good, folder):
    ending, data = chosen(rng, good.videos.items())
    path = folder / f"x.{ending}"
    path.write_bytes(chosen(rng, (changed_bytes, changed_head))(rng, data))
    for _ in read_video(path)[0]:
        pass


def tables(rng, good, folder):
    name, data = chosen(rng, good.tables.items())
    path = folder / "data" / name
    path.parent.mkdir(parents=True)
    text = name.endswith((".csv", ".json", ".jsonl"))
    if text and rng.random() < 0.6:
        spaced = data.decode().replace(",", " , ")
        path.write_bytes(changed_text(rng, spaced).replace(b" , ", b","))
    else:
        path.write_bytes(changed_bytes(rng, data))
    read_source(chosen(rng, [folder / "data", path]))


def archives(rng, good, folder):
    stream = io.BytesIO()
    files = {f"{label}/{k}.png": good.pictures["pngRGB"] for label in "ab" for k in range(3)}
    odd = [
        "../x.png",
        "/etc/x.png",
        "a/\x1b[2J.png",
        "a/" + "b/" * 200 + "x.png",
        "CON",
        "a\\b.png",
    ]
    files[chosen(rng, odd)] = b"x"
    if rng.random() < 0.3:
        files["a/bomb.png"] = bytes(int(rng.integers(1, 40)) << 20)
    ending = chosen(rng, ["zip", "tar", "tar.gz", "tar.xz", "tar.bz2"])
    if ending == "zip":
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
    else:
        with tarfile.open(fileobj=stream, mode=f"w:{ending[4:]}") as archive:
            for name, data in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                kinds = [tarfile.REGTYPE] * 8 + [tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
                info.type, info.linkname = chosen(rng, kinds), "/etc/passwd"
                archive.addfile(info, io.BytesIO(data))
    path = folder / f"x.{ending}"
    data = stream.getvalue()
    path.write_bytes(changed_bytes(rng, data) if rng.random() < 0.8 else data)
    outside = set(folder.iterdir())
    with unpacked(path, folder / "out.npz") as root:
        for _, file in files_of(root):
            assert root.resolve() in file.resolve().parents, f"{file} is outside"
        read_source(root)
    assert set(folder.iterdir()) == outside, "something was left behind"


def weights(rng, good, folder):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in ("hand_detector.tflite", "hand_landmarks_detector.tflite", "x"):
            archive.writestr(name, rng.bytes(1000) + bytes(int(rng.integers(1, 10)) << 20))
        if rng.random() < 0.1:
            archive.writestr("hand_detector.tflite", bytes(70 << 20))
    data = stream.getvalue()
    path = folder / "x.task"
    path.write_bytes(chosen(rng, (changed_bytes, changed_zip))(rng, data))
    import_bundle(path)


CAMPAIGNS = {
    one.__name__: one
    for one in (
        *(datasets, recordings, models, actions, pictures, videos, tables, archives, weights),
    )
}
