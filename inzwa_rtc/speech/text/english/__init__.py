"""English: figures, signs and what is written short."""

from inzwa_rtc.speech.text.english.rules import english as english
