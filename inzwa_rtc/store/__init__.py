"""Who may use the server and what they have chosen, in a database: SQLite by default,
PostgreSQL by URL.

`opened(url)` gives a `Store`, whose `users` and `keys` are all that others need. A database
that is locked or gone is `Unavailable` within about two seconds, and no more than that: it
works again, without a restart, as soon as the database does.
"""

from inzwa_rtc.store.database import Away
from inzwa_rtc.store.keys import SCOPES, ApiKey, Keys, Scope
from inzwa_rtc.store.store import Store, opened, place_of, state
from inzwa_rtc.store.users import Changes, Users

__all__ = [
    "SCOPES",
    "ApiKey",
    "Away",
    "Changes",
    "Keys",
    "Scope",
    "Store",
    "Users",
    "opened",
    "place_of",
    "state",
]
