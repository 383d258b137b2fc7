// Repairs the checksums of a mutated PNG, half of the time: libpng ends at the first that is wrong,
// and the fuzzer would see little of what lies behind it.
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "face/base/coding.h"
#include "tests/fuzz/fuzz_input.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  constexpr size_t kSignature = 8;
  constexpr size_t kFrame = 12;  // length, type and checksum of a chunk
  size = LLVMFuzzerMutate(data, size, max_size);
  if (seed % 2 == 0 || size < kSignature || data[0] != 0x89 || std::memcmp(data + 1, "PNG", 3)) {
    return size;
  }
  for (size_t at = kSignature; size - at >= kFrame;) {
    std::string_view rest = facegate::AsText(data + at, size - at);
    const uint32_t length = *facegate::TakeBigEndian<uint32_t>(rest);
    if (length > size - at - kFrame) break;
    const auto sum = static_cast<uint32_t>(::crc32(0, data + at + 4, length + 4));
    for (int i = 0; i < 4; ++i) {
      data[at + 8 + length + static_cast<size_t>(i)] = static_cast<uint8_t>(sum >> (24 - 8 * i));
    }
    at += kFrame + length;
  }
  return size;
}
