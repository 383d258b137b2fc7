// Seeds for pack_fuzz.cc: packs of made-up bytes in place of photos.
#include "tests/fuzz/seeds.h"
#include "tests/support/pack_bytes.h"

namespace facegate {
namespace {

std::string ThreePhotos() {
  return PackBytes({{.label = 0, .name = "a/1.jpg", .image = "first"},
                    {.label = 0, .name = "a/2.jpg", .image = "second"},
                    {.label = 1, .name = "b/1.jpg", .image = "third"}},
                   {"a", "b"});
}

}  // namespace

std::vector<Seed> PackSeeds() {
  const std::string pack = ThreePhotos();
  const size_t footer = pack.size() - kPackFooterBytes;
  return {
      {"three_photos", pack},
      {"no_photos", PackBytes({}, {"a"})},
      {"nothing", PackBytes({}, {})},
      {"begun", pack.substr(0, footer - 60)},
      {"truncated", pack.substr(0, pack.size() - 9)},
      {"header", PackHeader()},
      {"many_photos", WithFooterNumber(pack, 0, uint64_t{1} << 60)},
      {"many_classes", WithFooterNumber(pack, 1, UINT64_MAX)},
      {"far_index", WithFooterNumber(pack, 2, UINT64_MAX - 15)},
      {"far_names", WithFooterNumber(pack, 3, uint64_t{1} << 40)},
      {"entry_outside", PackWithIndex({{.offset = UINT64_MAX, .label = 0, .crc = 0}})},
      {"entries_overlap", PackWithIndex({{.offset = 16}, {.offset = 20}})},
      {"label_outside", PackWithIndex({{.offset = 16, .label = 7}})},
  };
}

}  // namespace facegate
