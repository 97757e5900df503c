"""The last steps of scripts/sbom: packages that declare no licence are marked as such, in the bill
of materials and on standard error, and the bill is checked against CycloneDX's schema."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

UNKNOWN = "inzwa-rtc:licence"


def finish(path: Path) -> None:
    """Mark, check and write the bill; exit with 1 if it breaks the schema."""
    bill = json.loads(path.read_text(encoding="utf-8"))
    lacking = [one for one in bill["components"] if not one.get("licenses")]
    for one in lacking:
        told = {"name": UNKNOWN, "value": "unknown: the package declares none"}
        one["properties"] = [*one.get("properties", []), told]
    text = json.dumps(bill, indent=2, ensure_ascii=False) + "\n"
    if wrong := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        sys.exit(f"{path} breaks the schema of CycloneDX 1.6: {wrong}")
    path.write_text(text, encoding="utf-8")
    if lacking:
        names = ", ".join(f"{one['name']} {one['version']}" for one in lacking)
        sys.stderr.write(f"No licence is declared by: {names}. See docs/dependencies.md.\n")


if __name__ == "__main__":
    finish(Path(sys.argv[1]))
