#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "face/base/status.h"

namespace facegate {

// What stands beside our search on a card: FAISS's flat index of inner products as it is, and the
// rate at which the card copies its own memory. It is a module, because FAISS for GPUs and the
// distribution's have the same names. One thread at a time uses it.
class PlainSearch {
 public:
  virtual ~PlainSearch() = default;

  // An index of `rows` vectors in half precision or float32, in place of that before; `make` fills
  // in those from number `first` on. kResourceExhausted when they have no room on the card.
  using Make = std::function<void(size_t first, std::span<float> vectors)>;
  virtual Status Build(size_t rows, size_t dimension, bool in_halves, const Make& make) = 0;
  virtual void Clear() = 0;
  // The `wanted` best rows of each query, which replace what `found` had.
  virtual Status Search(std::span<const float> queries, size_t wanted,
                        std::span<int64_t> found) = 0;

  // Bytes that are read and written a second when the card copies a large block.
  virtual StatusOr<double> CopyRate() = 0;
};

using OpenPlainSearch = StatusOr<std::unique_ptr<PlainSearch>>(int card);
inline constexpr char kPlainSearchModule[] = "gpu-plain-search";

}  // namespace facegate
