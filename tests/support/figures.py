"""What a server's `/metrics` says."""

from __future__ import annotations

import aiohttp
from prometheus_client.parser import text_string_to_metric_families


class Figures:
    """The samples of one reading."""

    def __init__(self, text: str) -> None:
        self.text = text
        families = [*text_string_to_metric_families(text)]
        self.names = {family.name for family in families}
        self._samples = [sample for family in families for sample in family.samples]

    def value(self, name: str, **labels: str) -> float:
        """Of all samples of this name and these labels together; 0 where there is none."""
        return sum(
            sample.value
            for sample in self._samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


async def figures(url: str, key: str = "") -> Figures:
    """They are now."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.get(f"{url}/metrics") as response,
    ):
        assert response.status == 200
        return Figures(await response.text())
