#include "face/base/sha256.h"

#include <openssl/evp.h>

#include <array>

#include "face/base/check.h"
#include "face/base/coding.h"

namespace facegate {

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  FACEGATE_CHECK(EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) == 1);
}

Sha256::~Sha256() = default;

void Sha256::Update(std::string_view bytes) {
  FACEGATE_CHECK(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1);
}

std::string Sha256::Digest() {
  std::array<unsigned char, 32> digest{};
  FACEGATE_CHECK(EVP_DigestFinal_ex(state_->context, digest.data(), nullptr) == 1);
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string Sha256::HexDigest() { return ToHex(Digest()); }

std::string Sha256Hex(std::string_view bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return hash.HexDigest();
}

}  // namespace facegate
