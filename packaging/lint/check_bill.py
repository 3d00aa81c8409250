"""Holds a bill of materials against the schema of the version of CycloneDX that it names."""

import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

text = open(sys.argv[1], encoding="utf-8").read()
bill = json.loads(text)
version = SchemaVersion[f"V{bill['specVersion'].replace('.', '_')}"]
error = JsonStrictValidator(version).validate_str(text)
if error is not None:
    sys.exit(f"{sys.argv[1]}: {error}")
if not bill.get("components"):
    sys.exit(f"{sys.argv[1]}: it names no component")
