#include "trainer/fused/value_rows.h"

#include <cstring>

namespace facegate {

void ValueRows::Compute(int value, int64_t first, int64_t rows, float* out) const {
  const auto i = static_cast<size_t>(value);
  const Stage& stage = memory.stage(i);
  const StageMemory& own = memory.stages[i];
  const float* added = nullptr;
  if (stage.added != Stage::kNothing) {
    const float* const base = stage.added == Stage::kRunInput
                                  ? input
                                  : memory.stages[static_cast<size_t>(stage.added)].value.data();
    added = base + first * stage.out;
  }
  memory.kernels.value({.rows = rows,
                        .channels = stage.out,
                        .z = own.z.data() + first * stage.out,
                        .scale = own.scale,
                        .shift = own.shift,
                        .slope = weights[i].slope,
                        .added = added,
                        .out = out});
}

const float* ValueRows::Kept(int value, int64_t first, int64_t rows, bool forward) const {
  if (value == Stage::kRunInput) return input + first * memory.stage(0).in;
  const auto i = static_cast<size_t>(value);
  if (!memory.stages[i].keeps_value) return nullptr;
  float* const kept = memory.stages[i].value.data() + first * memory.stage(i).out;
  if (forward) Compute(value, first, rows, kept);
  return kept;
}

const float* ValueRows::Read(int value, int64_t first, int64_t rows, bool forward,
                             float* scratch) const {
  const float* const kept = Kept(value, first, rows, forward);
  if (kept != nullptr) return kept;
  Compute(value, first, rows, scratch);
  return scratch;
}

void ValueRows::Copy(int value, int64_t first, int64_t rows, bool forward, float* out) const {
  const float* const kept = Kept(value, first, rows, forward);
  if (kept == nullptr) return Compute(value, first, rows, out);
  const int64_t channels =
      value == Stage::kRunInput ? memory.stage(0).in : memory.stage(static_cast<size_t>(value)).out;
  std::memcpy(out, kept, static_cast<size_t>(rows * channels) * sizeof(float));
}

}  // namespace facegate
