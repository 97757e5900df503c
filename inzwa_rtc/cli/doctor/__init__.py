"""`inzwa-rtc doctor`: what works on this machine, and what to do about what does not.

A check is a function of the settings that returns a `Finding`. A new one is written
in the file of its subject and listed in `command.CHECKS`.
"""
