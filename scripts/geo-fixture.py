#!/usr/bin/env python3
"""Writes the two small databases in the MaxMind format that tests read, with the package mmdb_writer
(pip install mmdb_writer netaddr). Documentation addresses only.
  scripts/geo-fixture.py"""
import pathlib

from mmdb_writer import MMDBWriter
from netaddr import IPSet

folder = pathlib.Path(__file__).parent.parent / "crates/server/tests/data"


def place(code, city, latitude, longitude):
    return {
        "country": {"iso_code": code, "names": {"en": code}},
        "city": {"names": {"en": city}},
        "location": {"latitude": latitude, "longitude": longitude, "accuracy_radius": 20},
    }


city = MMDBWriter(6, "Test-City", ["en"], ipv4_compatible=True, float_type="f64")
city.insert_network(IPSet(["203.0.113.0/24"]), place("DE", "Berlin", 52.52, 13.405))
city.insert_network(IPSet(["198.51.100.0/24", "2001:db8:49::/48"]), place("NG", "Lagos", 6.45, 3.4))
city.to_db_file(str(folder / "city.mmdb"))

asn = MMDBWriter(6, "Test-ASN", ["en"], ipv4_compatible=True, int_type="u32")
asn.insert_network(
    IPSet(["203.0.113.0/24"]),
    {"autonomous_system_number": 64496, "autonomous_system_organization": "Documentation"},
)
asn.to_db_file(str(folder / "asn.mmdb"))
