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

// True where the memory of the card, or memory that it reads of the machine's, ran out: of
// LibTorch's allocator, of a call of CUDA, or of cuBLAS, which says so in its text alone.
inline bool IsOfMemory(const c10::Error& error) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr) return true;
  const auto* const of_cuda = dynamic_cast<const c10::AcceleratorError*>(&error);
  if (of_cuda != nullptr && of_cuda->get_error_code() == cudaErrorMemoryAllocation) return true;
  return std::string_view(error.what_without_backtrace()).find("ALLOC_FAILED") !=
         std::string_view::npos;
}

// Runs `body` (returning Status or StatusOr<T>) and turns what LibTorch throws on that card into
// kResourceExhausted (its memory ran out), kUnavailable (CardHealth()) or kInternal.
template <typename Body>
auto CatchOnCard(int card, std::string_view what, Body&& body) -> decltype(body()) {
  try {
    return std::forward<Body>(body)();
  } catch (const c10::Error& error) {
    if (IsOfMemory(error)) {
      ::cudaGetLastError();  // forgets the refusal, which is no fault
      return Status(StatusCode::kResourceExhausted,
                    std::string(what) + ": the card's memory is too small or in use");
    }
    FACEGATE_RETURN_IF_ERROR(CardHealth(card));
    return Internal(fmt::format("{}: {}", what, error.what_without_backtrace()));
  } catch (const std::exception& error) {
    return Internal(fmt::format("{}: {}", what, error.what()));
  }
}

}  // namespace facegate
