"""Ways to damage a file: its bytes, the members of a zip, arrays, graphs and texts."""

import io
import struct
import zipfile

import numpy as np

NUMBERS = (0, 1, -1, 127, 255, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, -(2**63))
TEXTS = (
    *("", "\x1b]0;x\x07", "\ud800", "\udcff", "\0", "../../x", "$(touch x)", "a" * 5000, "\n"),
    *("nan", "inf", "-1", "1e400", "9" * 400, "none", "{label}", "\u202e", "é", "<b>", "None"),
)
HEADERS = (
    *("{'descr': [], 'fortran_order': False, 'shape': (1,)}", "{'descr': '''", "(" * 3000),
    *("  {'a':\n 1}\n   b", "{[]: 1}", "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}"),
    "{'descr': '<f4', 'fortran_order': False, 'shape': (100000000000,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, -21)}",
    "{'descr': '<U100000', 'fortran_order': False, 'shape': (1000,)}",
    "{'descr': '<f4', 'fortran_order': 1, 'shape': 1}",
)


def changed_bytes(rng, data):
    """Flip, cut, repeat, insert or overwrite some bytes."""
    data = bytearray(data)
    for _ in range(int(rng.integers(1, 6))):
        if not data:
            return bytes(data)
        place = int(rng.integers(len(data)))
        length = int(rng.integers(1, 64))
        match int(rng.integers(7)):
            case 0:
                data[place] ^= 1 << int(rng.integers(8))
            case 1:
                data[place : place + length] = rng.bytes(length)
            case 2:
                del data[place : place + length]
            case 3:
                data[place:place] = data[place : place + length] * int(rng.integers(1, 50))
            case 4:
                number = NUMBERS[int(rng.integers(len(NUMBERS)))] & (2**64 - 1)
                packed = struct.pack("<Q", number)[: int(rng.choice([1, 2, 4, 8]))]
                data[place : place + len(packed)] = packed[:: int(rng.choice([1, -1]))]
            case 5:
                del data[place:]
            case 6:
                data[place : place + length] = bytes([int(rng.choice([0, 255]))]) * length
    return bytes(data)


def changed_head(rng, data, n=400):
    """Damage the first bytes, where headers are."""
    return changed_bytes(rng, data[:n]) + data[n:]


def changed_zip(rng, data):
    """Rewrite a zip with damaged members, so that its checksums are right."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    names = list(members)
    for place in rng.permutation(len(names))[: int(rng.integers(1, 3))]:
        name = names[place]
        is_array = name.endswith(".npy")
        members[name] = (changed_array if is_array else changed_bytes)(rng, members[name])
    if rng.random() < 0.1:
        members.pop(names[0], None)
    kinds = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2]
    kind = kinds[int(rng.choice(4, p=[0.3, 0.6, 0.05, 0.05]))]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", kind) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return stream.getvalue() if rng.random() < 0.9 else changed_bytes(rng, stream.getvalue())


def changed_array(rng, data):
    """Damage an .npy file: its header, or values that it may not have."""
    match int(rng.integers(4)):
        case 0:
            text = HEADERS[int(rng.integers(len(HEADERS)))].encode() + b"\n"
            return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data[-64:]
        case 1:
            return changed_bytes(rng, data)
        case _:
            array = np.load(io.BytesIO(data)).copy()
            if array.dtype.kind == "U":
                some = [TEXTS[int(rng.integers(len(TEXTS)))] for _ in range(array.size)]
                array = np.array(some, np.str_).reshape(array.shape)
            elif array.dtype.kind == "f" and array.size:
                odd = [np.nan, np.inf, -np.inf, 1e38, -1e38, 1e-40, 0.0, 1e10]
                places = rng.integers(array.size, size=int(rng.integers(1, 5)))
                array.flat[places] = rng.choice(odd, len(places))
            elif array.size:
                odd = np.array(rng.integers(-3, 100)).astype(array.dtype)
                array.flat[int(rng.integers(array.size))] = odd
            if rng.random() < 0.2:
                array = array[: len(array) // 2] if array.ndim else array
            stream = io.BytesIO()
            np.save(stream, array)
            return stream.getvalue()


def changed_text(rng, text):
    """Replace, repeat, remove or swap words of a text."""
    words = text.split(" ")
    for _ in range(int(rng.integers(1, 6))):
        place = int(rng.integers(len(words)))
        match int(rng.integers(5)):
            case 0:
                words[place] = TEXTS[int(rng.integers(len(TEXTS)))]
            case 1:
                words[place:place] = words[place : place + 3] * int(rng.integers(1, 200))
            case 2:
                del words[place : place + int(rng.integers(1, 4))]
            case 3:
                words[place] = str(NUMBERS[int(rng.integers(len(NUMBERS)))])
            case 4:
                words[place] = str(rng.choice(list("[]{}\"'=,.:;#\t"))) * int(rng.integers(1, 3000))
        words = words or [""]
    data = " ".join(words).encode("utf-8", "surrogatepass")
    return data if rng.random() < 0.8 else changed_bytes(rng, data)


def changed_graph(rng, data):
    """Damage an ONNX model in its parts, so that it stays one."""
    import onnx

    model = onnx.load_model_from_string(data)
    graph = model.graph
    for _ in range(int(rng.integers(1, 4))):
        node = graph.node[int(rng.integers(len(graph.node)))]
        match int(rng.integers(8)):
            case 0:
                kinds = ["Loop", "If", "Tile", "Expand", "Gather", "Reshape", "Exp", "Neg", "Pad"]
                node.op_type = str(rng.choice(kinds))
            case 1 if node.input:
                other = graph.node[int(rng.integers(len(graph.node)))]
                node.input[0] = other.output[0]
            case 2 if graph.initializer:
                constant = graph.initializer[int(rng.integers(len(graph.initializer)))]
                constant.dims[:] = [int(n) for n in rng.choice([0, 1, 7, 10**6, -1], 2)]
            case 3 if graph.initializer:
                constant = graph.initializer[int(rng.integers(len(graph.initializer)))]
                constant.raw_data = changed_bytes(rng, constant.raw_data or b"\0" * 8)
            case 4:
                shape = graph.input[0].type.tensor_type.shape
                shape.dim[-1].dim_value = int(rng.choice([0, 1, 63, 10**9, -1]))
            case 5 if node.attribute:
                attribute = node.attribute[int(rng.integers(len(node.attribute)))]
                attribute.i = int(NUMBERS[int(rng.integers(len(NUMBERS)))])
                attribute.ints[:] = [int(n) for n in rng.integers(-5, 5000, len(attribute.ints))]
            case 6:
                card = model.metadata_props[0]
                card.value = changed_text(rng, card.value).decode("utf-8", "replace")
            case _:
                del graph.node[int(rng.integers(len(graph.node)))]
    return model.SerializeToString()
