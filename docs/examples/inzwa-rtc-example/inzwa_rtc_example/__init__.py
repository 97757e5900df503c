"""Engines for Inzwa RTC that come from outside of it."""
