"""VITS voices exported to ONNX: Coqui's, Meta's MMS and Piper's."""
