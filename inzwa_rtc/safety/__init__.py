"""What may be said: rules for what callers say and what they are answered, as data.

Plain code that never waits: whoever makes a `Safety` does so in a thread, for it reads files.
"""

from inzwa_rtc.safety.log import log_refusal
from inzwa_rtc.safety.normal import joined
from inzwa_rtc.safety.reply import Checked, ReplyCheck
from inzwa_rtc.safety.safety import Safety
from inzwa_rtc.safety.verdict import ALLOWED, Action, Category, Verdict

__all__ = [
    "ALLOWED",
    "Action",
    "Category",
    "Checked",
    "ReplyCheck",
    "Safety",
    "Verdict",
    "joined",
    "log_refusal",
]
