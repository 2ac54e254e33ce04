import subprocess
import sys

import pytest


def run_python(code, shell_suffix=""):
    """Run code in a process of its own, since descriptor 2 belongs to the whole process."""
    code = "import os, sys\nfrom handlore.landmarks.nativelog import quiet_native_log\n" + code
    command = f'"{sys.executable}" -c "$0" {shell_suffix}'
    arguments = ["sh", "-c", command, code]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=300, check=False)


def test_native_chatter_is_swallowed_and_pythons_own_words_arrive():
    done = run_python("""\
with quiet_native_log():
    os.write(2, b"native chatter\\n")
    print("a word to the user: ä", file=sys.stderr)
    print("data")
os.write(2, b"native afterwards\\n")
print("python afterwards", file=sys.stderr)
""")
    assert done.returncode == 0
    assert done.stdout == "data\n"
    assert done.stderr.splitlines() == [
        "a word to the user: ä",
        "native afterwards",
        "python afterwards",
    ]


def test_verbose_lets_native_chatter_through():
    done = run_python('with quiet_native_log(False):\n    os.write(2, b"native chatter\\n")\n')
    assert done.stderr == "native chatter\n"


def test_everything_is_restored_after_an_exception():
    done = run_python("""\
try:
    with quiet_native_log():
        raise KeyboardInterrupt
except KeyboardInterrupt:
    os.write(2, b"native afterwards\\n")
print("python afterwards", file=sys.stderr)
""")
    assert done.stderr == "native afterwards\npython afterwards\n"


def test_blocks_can_be_nested():
    done = run_python("""\
with quiet_native_log():
    with quiet_native_log():
        print("inner", file=sys.stderr)
    os.write(2, b"native chatter\\n")
    print("outer", file=sys.stderr)
os.write(2, b"native afterwards\\n")
""")
    assert done.stderr == "inner\nouter\nnative afterwards\n"


def test_many_blocks_leak_no_descriptors():
    done = run_python("""\
def block():
    with quiet_native_log():
        pass
block()
before = os.dup(1)
for _ in range(50):
    block()
print(os.dup(1) - before)
""")
    assert done.stdout == "1\n"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_it_works_where_the_caller_closed_stderr():
    done = run_python('with quiet_native_log():\n    print("data")\n', "2>&-")
    assert (done.returncode, done.stdout) == (0, "data\n")


def test_chatter_of_a_short_call_is_left_out_and_nothing_else():
    done = run_python("""\
from handlore.landmarks.nativelog import without_chatter
with without_chatter():
    os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\\n")
    os.write(2, b"W0000 00:00:17.49 133 inference_runner.cc:14] not aligned\\n")
    print("a word to the user", file=sys.stderr)
    os.write(2, b"ERROR: no memory\\n")
os.write(2, b"INFO: afterwards\\n")
with quiet_native_log(False), without_chatter():
    os.write(2, b"INFO: asked for\\n")
""")
    assert done.stderr.splitlines() == [
        "a word to the user",
        "ERROR: no memory",
        "INFO: afterwards",
        "INFO: asked for",
    ]


def test_quiet_where_descriptor_2_is_closed_under_pythons_stderr():
    done = run_python("""\
os.close(2)
with quiet_native_log():
    print("data")
""")
    assert (done.returncode, done.stdout) == (0, "data\n")


def test_chatter_where_stderr_is_closed():
    done = run_python(
        "from handlore.landmarks.nativelog import without_chatter\n"
        "with without_chatter():\n    print('data')\n",
        "2>&-",
    )
    assert (done.returncode, done.stdout) == (0, "data\n")


@pytest.mark.parametrize("detector", ["litert", "mediapipe"])
def test_a_library_user_sees_no_chatter(detector):
    done = run_python(f"""\
import numpy as np
import handlore
with handlore.open_detector(handlore.DetectorOptions(detector="{detector}")) as detector:
    picture = np.zeros((240, 320, 3), np.uint8)
    print(len(detector.detect(picture)), len(detector.track(picture, 0.0)))
""")
    assert (done.stdout, done.stderr) == ("0 0\n", "")
