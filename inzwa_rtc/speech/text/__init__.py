"""What a text says when it is read aloud: markup, figures and signs become words."""

from inzwa_rtc.speech.text.lexicon import Lexicon as Lexicon
from inzwa_rtc.speech.text.reader import TextReader as TextReader
from inzwa_rtc.speech.text.rules import Rules as Rules
