#pragma once

#include <c10/util/Exception.h>
#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "face/base/status.h"

namespace facegate {

// OK while this process can use the present card; kUnavailable once its context is broken: no later
// call can mend that (an address that does not exist, a card that fell off the bus).
inline Status CardHealth() {
  const cudaError_t error = ::cudaDeviceSynchronize();
  if (error == cudaSuccess) return OkStatus();
  return Unavailable(fmt::format("the card cannot be used any more by this process: {}",
                                 ::cudaGetErrorString(error)));
}

// Runs `body` (returning Status or StatusOr<T>) and turns what LibTorch throws on a card into
// kResourceExhausted (its memory ran out), kUnavailable (CardHealth()) or kInternal.
template <typename Body>
auto CatchOnCard(std::string_view what, Body&& body) -> decltype(body()) {
  try {
    return std::forward<Body>(body)();
  } catch (const c10::OutOfMemoryError&) {
    ::cudaGetLastError();  // forgets the refusal, which is no fault
    return Status(StatusCode::kResourceExhausted,
                  std::string(what) + ": the card's memory is too small or in use");
  } catch (const c10::Error& error) {
    FACEGATE_RETURN_IF_ERROR(CardHealth());
    return Internal(fmt::format("{}: {}", what, error.what_without_backtrace()));
  } catch (const std::exception& error) {
    return Internal(fmt::format("{}: {}", what, error.what()));
  }
}

}  // namespace facegate
