"""What the speech engines that run PyTorch, each in an environment of its own, have in common.

Only `torch_device` and `interruption` need PyTorch; the rest can be used, and tested, without.
"""
