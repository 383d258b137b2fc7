#pragma once

#include <google/protobuf/message.h>

#include <functional>

namespace facegate {

// Called with a field that is set (a repeated one: that has entries) and the message that has it.
using FieldVisitor =
    std::function<void(google::protobuf::Message&, const google::protobuf::FieldDescriptor&)>;

// Visits the set fields of `message` and of all messages inside it, outer ones first.
void VisitFields(google::protobuf::Message& message, const FieldVisitor& visit);

}  // namespace facegate
