#pragma once

#include <chrono>
#include <functional>
#include <thread>

#include "clients/cpp/client_result.h"

namespace facegate {

struct RetryOptions {
  // Waiting ends before the sum of all waits passes this.
  std::chrono::milliseconds patience = std::chrono::seconds(60);
  // Replaced in tests.
  std::function<void(std::chrono::milliseconds)> sleep = [](std::chrono::milliseconds delay) {
    std::this_thread::sleep_for(delay);
  };
};

// Calls `call` (returning a ClientResult) until it succeeds or is refused for good. It is called
// again only when the server said after what time that helps (RetryInfo): a full queue, a server
// that starts. Each wait is a multiple of that time, growing with the number of refusals, so that
// many callers do not come back at once for ever.
template <typename Call>
auto CallWithRetry(Call&& call, const RetryOptions& options = {}) -> decltype(call()) {
  using std::chrono::milliseconds;
  constexpr int kMaxFactor = 8;
  milliseconds waited(0);
  for (int factor = 1;; factor = factor < kMaxFactor ? factor + 1 : factor) {
    auto result = call();
    if (result.ok() || !result.error().retry_after.has_value()) return result;
    const milliseconds told = *result.error().retry_after;
    const milliseconds delay = (told > milliseconds(5) ? told : milliseconds(5)) * factor;
    if (waited + delay > options.patience) return result;
    options.sleep(delay);
    waited += delay;
  }
}

}  // namespace facegate
