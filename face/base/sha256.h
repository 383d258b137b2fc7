#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace facegate {

// SHA-256 (FIPS 180-4) of bytes given in pieces. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Update(std::string_view bytes);
  // 32 bytes, or the same as 64 lower-case hexadecimal digits. Call one of them, once.
  std::string Digest();
  std::string HexDigest();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string Sha256Hex(std::string_view bytes);

}  // namespace facegate
