// Requests through the services: bytes that parse as a request are answered, or refused with a
// reason that a client may know. Nothing ends in INTERNAL, a damaged store or an exception.
#include <google/protobuf/message.h>
#include <google/protobuf/util/message_differencer.h>

#include <cmath>

#include "face/base/check.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "server/rpc/grpc_status.h"
#include "tests/fuzz/call_sequence.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/message_fields.h"
#include "tests/fuzz/request_world.h"
#include "tests/fuzz/service_methods.h"

namespace facegate {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// The store's files grow with every change, deletions included.
constexpr int kInputsOfAWorld = 1000;

// Reads out of the refusal what a client reads.
void CheckRefusal(const Status& status) {
  const std::optional<Reason> reason = ReasonOf(status);
  FACEGATE_CHECK(reason.has_value() && CodeOf(*reason) == status.code());
  FACEGATE_CHECK(reason != Reason::kInternal && reason != Reason::kStoreCorrupt);
  FACEGATE_CHECK(!IsWithheld(status));
  const grpc::Status wire = ToGrpcStatus(status, "fuzz");
  google::rpc::Status details;
  FACEGATE_CHECK(details.ParseFromString(wire.error_details()));
  FACEGATE_CHECK(details.code() == static_cast<int>(status.code()) && details.details_size() >= 1);
  google::rpc::ErrorInfo info;
  FACEGATE_CHECK(details.details(0).UnpackTo(&info));
  FACEGATE_CHECK(info.reason() == ReasonName(*reason) && info.domain() == "facegate");
}

void CheckFinite(Message& message, const FieldDescriptor& field) {
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_FLOAT) return;
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  if (!field.is_repeated()) {
    FACEGATE_CHECK(std::isfinite(reflection.GetFloat(message, &field)));
    return;
  }
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    FACEGATE_CHECK(std::isfinite(reflection.GetRepeatedFloat(message, &field, i)));
  }
}

// Reading it back fails where a text is not UTF-8, which a client would refuse.
void CheckAnswer(Message& response) {
  std::string bytes;
  FACEGATE_CHECK(response.SerializeToString(&bytes));
  FACEGATE_CHECK(response.ParseFromString(bytes));
  VisitFields(response, CheckFinite);
}

// A write with a request id is made once and answered alike each time.
void CheckRepeated(RequestWorld& world, const ServiceMethod& method, const Message& request,
                   const Message& response) {
  const FieldDescriptor* const field = request.GetDescriptor()->FindFieldByName("request_id");
  if (field == nullptr || request.GetReflection()->GetString(request, field).empty()) return;
  const std::unique_ptr<Message> again = method.new_response();
  const Status status = method.call(world, request, *again);
  FACEGATE_CHECK(status.ok());
  FACEGATE_CHECK(google::protobuf::util::MessageDifferencer::Equals(response, *again));
}

// True when it changed something.
bool RunCall(RequestWorld& world, const EncodedCall& encoded) {
  const ServiceMethod& method = ServiceMethods()[encoded.method % ServiceMethods().size()];
  const std::unique_ptr<Message> request = method.new_request();
  // A message that gRPC cannot parse never comes to a handler.
  if (!request->ParseFromString(encoded.message)) return false;
  world.Resolve(*request);
  const std::unique_ptr<Message> response = method.new_response();
  const Status status = method.call(world, *request, *response);
  if (!status.ok()) {
    CheckRefusal(status);
    return false;
  }
  CheckAnswer(*response);
  if (method.effect == Effect::kReads) return false;
  CheckRepeated(world, method, *request, *response);
  return true;
}

// The world of this input. It lives as long as the program: opening a store for each input would
// take most of the time. Made before it is kept, so that RocksDB's own statics outlive it.
RequestWorld& WorldForInput(bool changed) {
  static std::unique_ptr<RequestWorld> world = std::make_unique<RequestWorld>();
  static int inputs = 0;
  if (++inputs % kInputsOfAWorld == 0) {
    world.reset();
    world = std::make_unique<RequestWorld>();
  } else if (changed) {
    world->MakeAnew();
  }
  return *world;
}

void RunCalls(std::string_view input) {
  static bool changed = false;  // by the input before
  RequestWorld& world = WorldForInput(changed);
  changed = false;
  for (const EncodedCall& call : ReadCalls(input)) {
    if (RunCall(world, call)) changed = true;
  }
}

}  // namespace
}  // namespace facegate

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  facegate::RunCalls(facegate::AsText(data, size));
  return 0;
}
