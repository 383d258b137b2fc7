#pragma once

#include <google/protobuf/message.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "tests/fuzz/request_world.h"

namespace facegate {

enum class Effect { kReads, kChanges };

// One method of a service, for messages whose type is known at run time alone.
struct ServiceMethod {
  std::string name;
  Effect effect = Effect::kReads;
  std::function<std::unique_ptr<google::protobuf::Message>()> new_request;
  std::function<std::unique_ptr<google::protobuf::Message>()> new_response;
  // The messages must be of the two types above.
  std::function<Status(RequestWorld&, const google::protobuf::Message& request,
                       google::protobuf::Message& response)>
      call;
};

// All methods of the three services. An input names a method by its place here: add new ones at
// the end.
const std::vector<ServiceMethod>& ServiceMethods();

// The place of the method of that name, which there must be.
uint8_t MethodNumber(const std::string& name);

}  // namespace facegate
