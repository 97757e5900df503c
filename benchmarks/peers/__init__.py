"""Servers of others, each with the same stub engines, detector and times as ours: for `media.py`.

Each is a script for a Python in which that server is installed. None of them needs this project.
"""
