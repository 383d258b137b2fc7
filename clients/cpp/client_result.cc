#include "clients/cpp/client_result.h"

#include <fmt/format.h>

namespace facegate {

bool ClientError::unreachable() const {
  return reason.empty() &&
         (code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::DEADLINE_EXCEEDED);
}

std::string CodeName(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::OK:
      return "OK";
    case grpc::StatusCode::CANCELLED:
      return "CANCELLED";
    case grpc::StatusCode::UNKNOWN:
      return "UNKNOWN";
    case grpc::StatusCode::INVALID_ARGUMENT:
      return "INVALID_ARGUMENT";
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return "DEADLINE_EXCEEDED";
    case grpc::StatusCode::NOT_FOUND:
      return "NOT_FOUND";
    case grpc::StatusCode::ALREADY_EXISTS:
      return "ALREADY_EXISTS";
    case grpc::StatusCode::PERMISSION_DENIED:
      return "PERMISSION_DENIED";
    case grpc::StatusCode::UNAUTHENTICATED:
      return "UNAUTHENTICATED";
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return "RESOURCE_EXHAUSTED";
    case grpc::StatusCode::FAILED_PRECONDITION:
      return "FAILED_PRECONDITION";
    case grpc::StatusCode::ABORTED:
      return "ABORTED";
    case grpc::StatusCode::OUT_OF_RANGE:
      return "OUT_OF_RANGE";
    case grpc::StatusCode::UNIMPLEMENTED:
      return "UNIMPLEMENTED";
    case grpc::StatusCode::INTERNAL:
      return "INTERNAL";
    case grpc::StatusCode::UNAVAILABLE:
      return "UNAVAILABLE";
    case grpc::StatusCode::DATA_LOSS:
      return "DATA_LOSS";
    case grpc::StatusCode::DO_NOT_USE:
      break;
  }
  return fmt::format("code {}", static_cast<int>(code));
}

namespace {

std::string MessageOf(const ClientError& error) {
  if (!error.message.empty()) return error.message;
  return error.code == grpc::StatusCode::UNIMPLEMENTED
             ? "the server does not know this call; it may be older than this program"
             : "no message";
}

}  // namespace

std::string Describe(const ClientError& error) {
  std::string text = fmt::format(
      "{}: {}", error.reason.empty() ? CodeName(error.code) : error.reason, MessageOf(error));
  // Most messages name the field themselves.
  if (!error.field.empty() && error.message.find(error.field) == std::string::npos) {
    text += fmt::format(" (field {})", error.field);
  }
  if (error.retry_after.has_value()) {
    text += fmt::format(" (try again in {} ms)", error.retry_after->count());
  }
  return text;
}

std::ostream& operator<<(std::ostream& out, const ClientError& error) {
  return out << Describe(error);
}

}  // namespace facegate
