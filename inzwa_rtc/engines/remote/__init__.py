"""What the engines share that ask a server elsewhere.

The official client of each service speaks to it. None of them retries or follows a redirect
by itself, so that one policy holds for all, however the server misbehaves.

Before the first part of an answer, a server is asked again when it cannot be reached, breaks
off, has too much to do (429, 503), fails (5xx) or answers with nothing, as long as that fits
into the time that the turn has (`retries`). `Retry-After` is waited for if it fits. A redirect,
a web page, garbage and every other refusal are an error at once (`answers`).

After the first part nothing is asked again: the caller may have heard it. No message repeats
anything that a server wrote, since servers quote what they were sent.
"""
