#include "face/torch/memory_error.h"

#include <c10/util/Exception.h>

#include <new>
#include <string_view>

namespace facegate {

bool IsOutOfMemory(const std::exception& error) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
      dynamic_cast<const std::bad_alloc*>(&error) != nullptr) {
    return true;
  }
  const std::string_view text = error.what();
  return text.find("CUDA error: out of memory") != std::string_view::npos ||
         text.find("STATUS_ALLOC_FAILED") != std::string_view::npos;
}

}  // namespace facegate
