#!/usr/bin/python3
"""Calls a facegate server with plain grpcio and protobuf, knowing nothing but server reflection: no generated code.

Prints one JSON object: the services that the server offers, and what Identify answers to a photo or an aligned crop.
"""

import argparse
import json
import pathlib
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

REFLECTION = "grpc.reflection.v1alpha"
TYPE = descriptor_pb2.FieldDescriptorProto


def reflection_file():
    """The messages of the reflection protocol that are used here, from their published field numbers."""
    file = descriptor_pb2.FileDescriptorProto(name="reflection.proto", package=REFLECTION, syntax="proto3")

    def message(name, *fields):
        added = file.message_type.add(name=name)
        for number, field, kind, repeated, type_name in fields:
            added.field.add(name=field, number=number, type=kind, type_name=type_name or None,
                            label=TYPE.LABEL_REPEATED if repeated else TYPE.LABEL_OPTIONAL)

    message("ServerReflectionRequest",
            (1, "host", TYPE.TYPE_STRING, False, ""),
            (3, "file_by_filename", TYPE.TYPE_STRING, False, ""),
            (4, "file_containing_symbol", TYPE.TYPE_STRING, False, ""),
            (7, "list_services", TYPE.TYPE_STRING, False, ""))
    message("FileDescriptorResponse", (1, "file_descriptor_proto", TYPE.TYPE_BYTES, True, ""))
    message("ServiceResponse", (1, "name", TYPE.TYPE_STRING, False, ""))
    message("ListServiceResponse", (1, "service", TYPE.TYPE_MESSAGE, True, f".{REFLECTION}.ServiceResponse"))
    message("ErrorResponse",
            (1, "error_code", TYPE.TYPE_INT32, False, ""),
            (2, "error_message", TYPE.TYPE_STRING, False, ""))
    message("ServerReflectionResponse",
            (4, "file_descriptor_response", TYPE.TYPE_MESSAGE, False, f".{REFLECTION}.FileDescriptorResponse"),
            (6, "list_services_response", TYPE.TYPE_MESSAGE, False, f".{REFLECTION}.ListServiceResponse"),
            (7, "error_response", TYPE.TYPE_MESSAGE, False, f".{REFLECTION}.ErrorResponse"))
    return file


def class_of(pool, name):
    descriptor = pool.FindMessageTypeByName(name)
    if hasattr(message_factory, "GetMessageClass"):  # from protobuf 4.22 on; 5 has no other way
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


class Reflection:
    def __init__(self, channel):
        pool = descriptor_pool.DescriptorPool()
        pool.Add(reflection_file())
        self.request_class = class_of(pool, f"{REFLECTION}.ServerReflectionRequest")
        response_class = class_of(pool, f"{REFLECTION}.ServerReflectionResponse")
        self.call = channel.stream_stream(
            f"/{REFLECTION}.ServerReflection/ServerReflectionInfo",
            request_serializer=self.request_class.SerializeToString,
            response_deserializer=response_class.FromString)

    def ask(self, **question):
        # An empty string in a field without presence would not be sent: any text asks for the list.
        response = next(self.call(iter([self.request_class(**question)]), timeout=20))
        if response.HasField("error_response"):
            raise RuntimeError(f"reflection: {response.error_response.error_message}")
        return response

    def services(self):
        return sorted(s.name for s in self.ask(list_services="*").list_services_response.service)

    def pool_for(self, symbol):
        """A pool with the file that declares `symbol` and all that it imports."""
        files = {}
        waiting = [self.ask(file_containing_symbol=symbol)]
        while waiting:
            for encoded in waiting.pop().file_descriptor_response.file_descriptor_proto:
                file = descriptor_pb2.FileDescriptorProto.FromString(encoded)
                if file.name in files:
                    continue
                files[file.name] = file
                waiting += [self.ask(file_by_filename=name) for name in file.dependency if name not in files]
        pool = descriptor_pool.DescriptorPool()
        added = set()

        def add(name):
            if name not in added:
                added.add(name)
                for dependency in files[name].dependency:
                    add(dependency)
                pool.Add(files[name])

        for name in files:
            add(name)
        return pool


def call(channel, pool, service, method, **fields):
    described = pool.FindServiceByName(service).FindMethodByName(method)
    request_class = class_of(pool, described.input_type.full_name)
    response_class = class_of(pool, described.output_type.full_name)
    stub = channel.unary_unary(f"/{service}/{method}",
                               request_serializer=request_class.SerializeToString,
                               response_deserializer=response_class.FromString)
    return stub(request_class(**fields), timeout=60)


def identify(target, collection, probe, min_cosine):
    """{"services", "identify"}; without `min_cosine` the collection's threshold, or the model's, decides."""
    operating_point = {} if min_cosine is None else {"operating_point": {"min_cosine": min_cosine}}
    with grpc.insecure_channel(target, options=[("grpc.enable_http_proxy", 0)]) as channel:
        reflection = Reflection(channel)
        service = "facegate.v1.FaceService"
        answer = call(channel, reflection.pool_for(service), service, "Identify", collection_id=collection, probe=probe,
                      **operating_point)
        return {
            "services": reflection.services(),
            "identify": json_format.MessageToDict(answer, preserving_proto_field_name=True),
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", metavar="HOST:PORT", help="the server")
    parser.add_argument("collection", help="where to look")
    probe = parser.add_mutually_exclusive_group(required=True)
    probe.add_argument("--photo", type=pathlib.Path, help="any picture with one face or more; the largest one counts")
    probe.add_argument("--crop", type=pathlib.Path, help="an aligned crop, of the size that `facegate info` shows")
    parser.add_argument("--min-cosine", type=float, help="the smallest cosine that is a match")
    options = parser.parse_args()
    if options.photo is not None:
        probe = {"image": options.photo.read_bytes()}
    else:
        probe = {"aligned_crop": options.crop.read_bytes()}
    try:
        found = identify(options.target, options.collection, probe, options.min_cosine)
    except grpc.RpcError as error:
        sys.exit(f"reflection_client: {error.code().name}: {error.details()}")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
