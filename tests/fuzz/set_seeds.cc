// Seeds for the readers of sets of photos in the formats of others; made-up bytes in place of
// photos.
#include "tests/fuzz/seeds.h"
#include "tests/support/set_bytes.h"

namespace facegate {
namespace {

using namespace std::string_literals;

std::string WithIndex(const RecordIoFiles& files) { return files.idx + '\0' + files.rec; }

}  // namespace

std::vector<Seed> RecordIoSeeds() {
  const RecordIoFiles set = InsightFaceSet({{0, "first"}, {1, "second"}, {1, "third"}}, 2);
  const std::string split =
      "1234\x0a\x23\xd7\xce"
      "5678\x0a\x23\xd7\xce";
  return {{"insightface", set.rec},
          {"insightface_with_index", WithIndex(set)},
          {"im2rec",
           RecordIoSet({RecordIoPayload({1.0F, 2.0F}, "a"), RecordIoPayload({2.0F}, "b")}).rec},
          {"split", RecordIoSet({RecordIoPayload({3.0F}, split)}).rec},
          {"split_with_index", WithIndex(RecordIoSet({RecordIoPayload({3.0F}, split)}))},
          {"truncated", set.rec.substr(0, set.rec.size() - 7)},
          {"index_outside", "0\t0\n1\t99999999999\n\0"s + set.rec},
          {"index_of_photos_alone", "1\t40\n2\t80\n3\t120\n\0"s + set.rec},
          {"index_overlaps", "0\t0\n1\t0\n\0"s + set.rec}};
}

std::vector<Seed> TfRecordSeeds() {
  const std::string binary = TfExampleOf(7, "image/encoded", "picture", "7/a.png");
  return {{"binary", TfRecordOf(binary) + TfRecordOf(binary)},
          {"online", TfRecordOf(TfExampleOf(300, "image/img_path", "7/a.png", "a.png"))},
          {"example", binary},
          {"no_example", TfRecordOf("\x09\x01")},
          {"truncated", TfRecordOf(binary).substr(0, 50)}};
}

std::vector<Seed> ArchiveSeeds() {
  const std::vector<ArchivedFile> files = {
      {"a/1.png", "first"}, {"a/2.png", std::string(300, 'x'), true}, {"b/", ""}};
  const std::string zip = ZipOf(files);
  const std::string tar = TarOf(files);
  const std::string pax = "16 path=b/3.png\n";
  std::string shared = ZipOf({{"a/1.png", "first"}, {"a/2.png", "other"}});
  shared.replace(shared.rfind("PK\x01\x02") + 42, 4, 4, '\0');  // the second one's offset
  return {
      {"zip", zip},
      {"zip_truncated", zip.substr(0, zip.size() - 30)},
      {"zip_empty", ZipOf({})},
      {"zip_link", ZipOf({{.name = "a/1.png", .bytes = "/etc", .unix_mode = 0120777}})},
      {"zip_shared_bytes", shared},
      {"tar", tar},
      {"tar_without_end", tar.substr(0, tar.size() - 1024)},
      {"tar_joined", tar + tar},
      {"tar_announces",
       TarMember({.name = "x", .bytes = pax, .type = 'x'}) + std::string(1024, '\0')},
      {"tar_truncated", tar.substr(0, 514)},
      {"tar_pax", TarMember({.name = "x", .bytes = pax, .type = 'x'}) + tar},
      {"tar_huge", TarMember({.name = "x", .bytes = "19 size=4294967296\n", .type = 'x'}) + tar},
      {"tar_long_name", TarMember({.name = "x", .bytes = "c/4.png\0"s, .type = 'L'}) + tar}};
}

std::vector<Seed> IdxSeeds() {
  const std::string idx = IdxBytes({2, 2, 3}, "abcdefABCDEF");
  return {{"pictures", idx},
          {"labels", IdxBytes({2}, "\x07\x02")},
          {"gzipped", Deflated(idx, DeflateFrame::kGzip)},
          {"huge", IdxBytes({0xFFFFFFFF, 0xFFFFFFFF, 2}, "")},
          {"truncated", idx.substr(0, 20)}};
}

}  // namespace facegate
