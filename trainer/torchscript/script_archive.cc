#include "trainer/torchscript/script_archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "face/weights/quote.h"
#include "face/weights/zip_store.h"

namespace facegate {
namespace {

constexpr uint64_t kMaxCodeBytes = 64ULL << 20;
constexpr std::string_view kZipSignature = "PK\x03\x04";

// Names begin with the archive's own.
bool IsCode(std::string_view name) {
  const size_t slash = name.find('/');
  return slash != std::string_view::npos && name.substr(slash).starts_with("/code/");
}

}  // namespace

bool LooksLikeTorchScript(std::string_view bytes) {
  if (!bytes.starts_with(kZipSignature)) return false;
  const StatusOr<ZipStore> store = ZipStore::Open(bytes);
  return store.ok() && std::any_of(store->entries().begin(), store->entries().end(),
                                   [](const auto& entry) { return IsCode(entry.first); });
}

Status CheckScriptArchive(std::string_view bytes) {
  FACEGATE_ASSIGN_OR_RETURN(const ZipStore store, ZipStore::Open(bytes));
  uint64_t code = 0;  // and what else is compressed
  for (const auto& [name, entry] : store.entries()) {
    if (entry.method == 0 && entry.size == entry.compressed) continue;
    if (!IsCode(name)) {
      return InvalidArgument(
          fmt::format("entry {} of the archive is compressed, expected of code "
                      "alone",
                      Quote(name)));
    }
    code += std::min(entry.size, kMaxCodeBytes + 1);
    if (code > kMaxCodeBytes) {
      return InvalidArgument(
          fmt::format("the archive has more than {} MiB of code", kMaxCodeBytes >> 20));
    }
  }
  return OkStatus();
}

}  // namespace facegate
