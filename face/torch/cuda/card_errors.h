#pragma once

#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "face/base/status.h"
#include "face/torch/memory_error.h"

namespace facegate {

// OK while this process can use the card of that number; kUnavailable once it cannot: another has
// it for itself, or the context is broken, which no later call can mend (an address that does not
// exist, a card that fell off the bus).
inline Status CardHealth(int card) {
  int before = card;
  ::cudaGetDevice(&before);
  cudaError_t error = before == card ? cudaSuccess : ::cudaSetDevice(card);
  if (error == cudaSuccess) error = ::cudaDeviceSynchronize();
  if (before != card) ::cudaSetDevice(before);
  if (error == cudaSuccess) return OkStatus();
  return Unavailable(
      fmt::format("this process cannot use the card: {}", ::cudaGetErrorString(error)));
}

// Runs `body` (returning Status or StatusOr<T>) and turns what LibTorch throws on that card into
// kResourceExhausted (its memory ran out), kUnavailable (CardHealth()) or kInternal.
template <typename Body>
auto CatchOnCard(int card, std::string_view what, Body&& body) -> decltype(body()) {
  try {
    return std::forward<Body>(body)();
  } catch (const std::exception& error) {
    if (IsOutOfMemory(error)) {
      ::cudaGetLastError();  // forgets the refusal, which is no fault
      return Status(StatusCode::kResourceExhausted,
                    std::string(what) + ": the card's memory is too small or in use");
    }
    FACEGATE_RETURN_IF_ERROR(CardHealth(card));
    // The first line; the others are lines of LibTorch's source.
    const std::string_view text = error.what();
    return Internal(fmt::format("{}: {}", what, text.substr(0, text.find('\n'))));
  }
}

}  // namespace facegate
