#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <thread>

#include "clients/cpp/client_result.h"

namespace facegate {

struct RetryOptions {
  // Waiting ends before the sum of all waits passes this.
  std::chrono::milliseconds patience = std::chrono::seconds(60);
  // A call that found no connection, or whose connection broke, is sent again so often. Nobody
  // knows whether the server carried it out: only for calls with a request_id
  // (clients/cpp/request_id.h), and for those that change nothing.
  int broken_connections = 0;
  // Replaced in tests.
  std::function<void(std::chrono::milliseconds)> sleep = [](std::chrono::milliseconds delay) {
    std::this_thread::sleep_for(delay);
  };
};

// Calls `call` (returning a ClientResult) until it succeeds or is refused for good. It is called
// again when the server said after what time that helps (RetryInfo: a full queue, a server that
// starts, a request_id that is still at work), and, where `options` allow it, after a broken
// connection. Each wait is a multiple of that time, growing with the number of refusals, so that
// many callers do not come back at once for ever.
template <typename Call>
auto CallWithRetry(Call&& call, const RetryOptions& options = {}) -> decltype(call()) {
  using std::chrono::milliseconds;
  constexpr int kMaxFactor = 8;
  constexpr milliseconds kLeastWait(5);
  constexpr milliseconds kReconnect(200);
  milliseconds waited(0);
  int broken_left = options.broken_connections;
  for (int factor = 1;; factor = std::min(factor + 1, kMaxFactor)) {
    auto result = call();
    if (result.ok()) return result;
    std::optional<milliseconds> told = result.error().retry_after;
    const bool broken =
        result.error().unreachable() && result.error().code == grpc::StatusCode::UNAVAILABLE;
    if (!told.has_value() && broken && broken_left-- > 0) told = kReconnect;
    if (!told.has_value()) return result;
    const milliseconds delay = std::max(*told, kLeastWait) * factor;
    if (waited + delay > options.patience) return result;
    options.sleep(delay);
    waited += delay;
  }
}

}  // namespace facegate
