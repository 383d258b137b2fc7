#include "index/rows/cuda/card_memory.h"

#include <fmt/format.h>

#include <cstring>

namespace facegate::cuda {

Status StatusOf(cudaError_t error, std::string_view what) {
  if (error == cudaSuccess) return OkStatus();
  ::cudaGetLastError();
  const std::string text = fmt::format("{}: {}", what, ::cudaGetErrorString(error));
  if (error == cudaErrorMemoryAllocation) return {StatusCode::kResourceExhausted, text};
  return Internal(text);
}

StatusOr<CardMemory> CardMemory::OfCard(size_t bytes) {
  CardMemory memory;
  FACEGATE_RETURN_IF_ERROR(
      StatusOf(::cudaMalloc(&memory.data_, bytes), fmt::format("{} bytes of the card", bytes)));
  memory.bytes_ = bytes;
  return memory;
}

StatusOr<CardMemory> CardMemory::OfMachine(size_t bytes) {
  CardMemory memory;
  FACEGATE_RETURN_IF_ERROR(StatusOf(::cudaHostAlloc(&memory.data_, bytes, cudaHostAllocDefault),
                                    fmt::format("{} bytes for copies to the card", bytes)));
  memory.bytes_ = bytes;
  memory.is_of_card_ = false;
  return memory;
}

CardMemory::~CardMemory() {
  if (data_ == nullptr) return;
  // What a card that has failed says here was said before.
  if (is_of_card_) {
    static_cast<void>(::cudaMemset(data_, 0, bytes_));
    static_cast<void>(::cudaFree(data_));
  } else {
    std::memset(data_, 0, bytes_);
    static_cast<void>(::cudaFreeHost(data_));
  }
  ::cudaGetLastError();
}

}  // namespace facegate::cuda
