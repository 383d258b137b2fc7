#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace facegate {

// Memory for floats at a whole cache line, not set to anything.
class FloatBlock {
 public:
  FloatBlock() = default;
  explicit FloatBlock(int64_t count) {
    constexpr size_t kLine = 64;
    const size_t bytes = static_cast<size_t>(count) * sizeof(float);
    data_.reset(static_cast<float*>(std::aligned_alloc(kLine, (bytes + kLine) / kLine * kLine)));
    if (data_ == nullptr) throw std::bad_alloc();
  }

  float* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(float* data) const { std::free(data); }
  };
  std::unique_ptr<float[], Free> data_;
};

}  // namespace facegate
