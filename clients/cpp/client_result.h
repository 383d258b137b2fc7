#pragma once

#include <grpcpp/support/status_code_enum.h>

#include <chrono>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <variant>

namespace facegate {

// Tells why a call gave no answer, decoded from google.rpc.Status.
struct ClientError {
  grpc::StatusCode code = grpc::StatusCode::UNKNOWN;
  // ErrorInfo.reason such as "NO_FACE": stable, for programs. Empty when the server's code never
  // saw the call (no connection, no answer in time, refused by gRPC itself).
  std::string reason{};
  // The message is for people.
  std::string message{};
  // BadRequest: the path of the first field to blame, such as "probe.image"; empty when none is.
  std::string field{};
  // RetryInfo: after this time the same call may succeed. Absent when trying again does not help.
  std::optional<std::chrono::milliseconds> retry_after{};
  // ErrorInfo.metadata.
  std::map<std::string, std::string> metadata{};

  // The call did not reach a server that could decide: nothing listens, the connection broke, or no
  // answer came in time.
  bool unreachable() const;
};

// "NOT_FOUND" and so on.
std::string CodeName(grpc::StatusCode code);
// One line: "NO_FACE: no face was found (field probe.image)"; the field is told once.
std::string Describe(const ClientError& error);
std::ostream& operator<<(std::ostream& out, const ClientError& error);

// An answer, or why there is none.
template <typename T>
class [[nodiscard]] ClientResult {
 public:
  ClientResult(T value) : state_(std::move(value)) {}
  ClientResult(ClientError error) : state_(std::move(error)) {}

  bool ok() const { return std::holds_alternative<T>(state_); }
  // These may be called only when ok().
  const T& value() const& { return std::get<T>(state_); }
  T& value() & { return std::get<T>(state_); }
  T&& value() && { return std::get<T>(std::move(state_)); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }
  const T& operator*() const { return value(); }
  // May be called only when not ok().
  const ClientError& error() const { return std::get<ClientError>(state_); }

 private:
  std::variant<T, ClientError> state_;
};

}  // namespace facegate
