#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/coding.h"

// The input of request_fuzz.cc, calls of one client one after the other:
//
//   input = { method:u8 size:u16 (little-endian) message }
//
// `method` counts in ServiceMethods(), modulo their number; a message that ends early is what is
// left of the input.
namespace facegate {

struct EncodedCall {
  uint8_t method = 0;
  std::string message;
};

// Only the first kMaxCalls are looked at.
inline constexpr size_t kMaxCalls = 8;

inline std::string WriteCalls(const std::vector<EncodedCall>& calls) {
  std::string input;
  for (const EncodedCall& call : calls) {
    AppendLittleEndian(input, call.method);
    AppendLittleEndian(input, static_cast<uint16_t>(call.message.size()));
    input += call.message;
  }
  return input;
}

inline std::vector<EncodedCall> ReadCalls(std::string_view input) {
  std::vector<EncodedCall> calls;
  while (calls.size() < kMaxCalls) {
    const auto method = TakeLittleEndian<uint8_t>(input);
    const auto size = TakeLittleEndian<uint16_t>(input);
    if (!method || !size) break;
    calls.push_back({*method, std::string(input.substr(0, *size))});
    input.remove_prefix(calls.back().message.size());
  }
  return calls;
}

}  // namespace facegate
