#include "clients/cli/sha256_digest.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>

namespace facegate {

std::string Sha256Digest(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  ::SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  std::string text;
  for (const unsigned char byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace facegate
