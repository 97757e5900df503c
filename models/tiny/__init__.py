"""Makers of tiny models with random weights: the real libraries load and run them in tests.

They show that our code drives a library rightly, never that a model understands anything.
"""
