#pragma once

#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "face/base/status.h"

namespace facegate {

// Runs `body` (returning Status or StatusOr<T>) and turns an exception of a library (LibTorch,
// FAISS, OpenCV) into kInternal, or kResourceExhausted when memory ran out. Used in the adapter's
// .cc only; nothing above it has a `try`.
template <typename Body>
auto CatchToStatus(std::string_view what, Body&& body) -> decltype(body()) {
  try {
    return std::forward<Body>(body)();
  } catch (const std::bad_alloc&) {
    return Status(StatusCode::kResourceExhausted, std::string(what) + ": out of memory");
  } catch (const std::exception& e) {
    return Internal(std::string(what) + ": " + e.what());
  }
}

}  // namespace facegate
