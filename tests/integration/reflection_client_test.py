#!/usr/bin/env python3
"""Tests that reflection_client.py makes classes of messages with old and new protobuf. Exits with 77 without grpcio."""

import sys
import types
import unittest
from unittest import mock

try:
    import reflection_client
except ImportError as error:
    print(f"SKIPPED: {error}; deploy/bootstrap.sh installs python3-grpcio and python3-protobuf")
    sys.exit(77)


class Pool:
    @staticmethod
    def FindMessageTypeByName(name):
        return f"descriptor of {name}"


class OldFactory:
    def __init__(self, pool):
        assert pool is Pool

    @staticmethod
    def GetPrototype(descriptor):
        return f"class by {descriptor}"


class ClassOf(unittest.TestCase):
    def class_with(self, **api):
        with mock.patch.object(reflection_client, "message_factory", types.SimpleNamespace(**api)):
            return reflection_client.class_of(Pool, "M")

    def test_needs_only_what_protobuf_5_has(self):
        self.assertEqual(self.class_with(GetMessageClass=lambda descriptor: f"class by {descriptor}"),
                         "class by descriptor of M")

    def test_needs_only_what_protobuf_before_4_22_has(self):
        self.assertEqual(self.class_with(MessageFactory=OldFactory), "class by descriptor of M")


if __name__ == "__main__":
    unittest.main()
