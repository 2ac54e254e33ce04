"""From a trained network to an ONNX graph."""

import io
import warnings

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from ..base import ONNX_OPSET
from ..kinds import INPUT, OUTPUT
from ..onnxgraph import IR_VERSION
from .network import MovementNetwork, Probabilities


def exported(network: MovementNetwork, blocks: NDArray[np.float32]) -> bytes:
    """Return the network as a serialised ``onnx.ModelProto``.

    Parameters
    ----------
    network
        Trained.
    blocks
        (n, n_channels, n_timepoints) a few movements; only their shape matters.
    """
    stream = io.BytesIO()
    with warnings.catch_warnings():
        # PyTorch's newer exporter needs another package and begins at opset 18. This one warns of
        # its age, and of shapes that it takes as constants, which these are.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Probabilities(network).eval(), (torch.from_numpy(blocks),), stream,
            input_names=[INPUT], output_names=[OUTPUT], opset_version=ONNX_OPSET[""],
            dynamic_axes={INPUT: {0: "n"}, OUTPUT: {0: "n"}}, dynamo=False,
        )  # fmt: skip
    model = onnx.load_from_string(stream.getvalue())
    model.ir_version = IR_VERSION
    serialised: bytes = model.SerializeToString(deterministic=True)
    return serialised
