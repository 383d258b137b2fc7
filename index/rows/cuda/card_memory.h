#pragma once

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

#include "face/base/status.h"

namespace facegate::cuda {

// OK, or what CUDA said, `what` before it: kResourceExhausted where it has no memory, else
// kInternal. CUDA would tell the next who asks of it again; that is cleared.
Status StatusOf(cudaError_t error, std::string_view what);

// Bytes of the card (or of the machine, where the card reads and writes without a copy of its own),
// wiped before they are given back. Whoever makes, frees or uses them has chosen the card.
class CardMemory {
 public:
  static StatusOr<CardMemory> OfCard(size_t bytes);
  static StatusOr<CardMemory> OfMachine(size_t bytes);

  CardMemory() = default;
  CardMemory(CardMemory&& other) noexcept { *this = std::move(other); }
  CardMemory& operator=(CardMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    std::swap(is_of_card_, other.is_of_card_);
    return *this;
  }
  CardMemory(const CardMemory&) = delete;
  CardMemory& operator=(const CardMemory&) = delete;
  ~CardMemory();

  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }

 private:
  void* data_ = nullptr;
  size_t bytes_ = 0;
  bool is_of_card_ = true;
};

// Values that are kept between searches, in memory that grows.
template <typename T>
class CardValues {
 public:
  using Allocate = StatusOr<CardMemory> (*)(size_t);
  explicit CardValues(Allocate allocate = CardMemory::OfCard) : allocate_(allocate) {}

  // Room for so many; what was there is lost where that grows.
  Status Reserve(size_t count) {
    if (count * sizeof(T) <= memory_.bytes()) return OkStatus();
    // With some more, so that it seldom grows; the old memory goes first.
    const size_t bytes = std::max(count * sizeof(T), memory_.bytes() + memory_.bytes() / 2);
    memory_ = CardMemory();
    FACEGATE_ASSIGN_OR_RETURN(memory_, allocate_(bytes));
    return OkStatus();
  }
  T* data() const { return static_cast<T*>(memory_.data()); }

 private:
  Allocate allocate_;
  CardMemory memory_;
};

}  // namespace facegate::cuda
