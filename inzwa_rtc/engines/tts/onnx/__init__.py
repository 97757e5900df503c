"""Models in ONNX: read without a way out of their folder, run so that they can be stopped."""
