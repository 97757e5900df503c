"""The network edge: HTTP, WebSockets, the page. Imports inzwa_rtc, never the reverse."""
