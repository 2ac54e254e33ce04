"""Trained models as files: one ``.onnx`` each, run by onnxruntime."""
