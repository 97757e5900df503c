"""Shona: figures and money, from one file of data that speakers can review."""

from inzwa_rtc.speech.text.shona.rules import shona as shona
