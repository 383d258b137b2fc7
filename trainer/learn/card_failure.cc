#include "trainer/learn/card_failure.h"

#include <fmt/format.h>

#include <string>

#include "face/torch/memory_error.h"

namespace facegate {
namespace {

constexpr double kGibibyte = 1024.0 * 1024.0 * 1024.0;

// The first line of a text of LibTorch's: the others are its own source lines.
std::string FirstLine(const std::exception& error) {
  const std::string text = error.what();
  return text.substr(0, text.find('\n'));
}

bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string MemoryText(const CardMemory& memory) {
  if (memory.total == 0) return "";
  return fmt::format(" (of its {:.1f} GiB, {:.1f} GiB are free, and other programs may hold some)",
                     static_cast<double>(memory.total) / kGibibyte,
                     static_cast<double>(memory.free) / kGibibyte);
}

}  // namespace

Status CardFailure(std::string_view card, const std::exception& error, const CardMemory& memory,
                   int64_t photos) {
  const std::string text = FirstLine(error);
  if (IsOutOfMemory(error)) {
    if (photos == 0) {
      return {StatusCode::kResourceExhausted,
              fmt::format("{} has too little memory for the network, its head and its optimiser{}",
                          card, MemoryText(memory))};
    }
    return {StatusCode::kResourceExhausted,
            fmt::format("{} has too little memory for a batch of {} photos{}: choose a smaller "
                        "data.batch, with a larger optimizer.accumulate where updates shall be by "
                        "as many photos",
                        card, photos, MemoryText(memory))};
  }
  if (Has(text, "CUDA error") || Has(text, "CUDNN_STATUS") || Has(text, "CUBLAS_STATUS")) {
    return Unavailable(fmt::format(
        "{} failed: {}. What was learned since the last checkpoint is lost; the same command goes "
        "on from there once the card works",
        card, text));
  }
  return Internal(fmt::format("training on {}: {}", card, text));
}

}  // namespace facegate
