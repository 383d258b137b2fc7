// Ten thousand damaged files for each reader of sets of photos in the formats of others, the same
// ones each time. Every one is refused or read; what is read is no more than the file can hold.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "face/base/random.h"
#include "tests/support/set_bytes.h"
#include "trainer/photos/idx_file.h"
#include "trainer/photos/record_io.h"
#include "trainer/photos/tar_archive.h"
#include "trainer/photos/tf_record.h"
#include "trainer/photos/zip_archive.h"

namespace facegate {
namespace {

constexpr int kFiles = 10'000;
// Deflate's most, see zip_archive.cc.
constexpr size_t kMostInflation = 1032;
constexpr size_t kMostOfMember = 1 << 16;

// Changes a few bytes, cuts the file off, or copies a part of it over another one.
std::string Mutated(std::string bytes, RandomStream& random) {
  const auto below = [&](size_t end) { return static_cast<size_t>(random.Below(end)); };
  const size_t changes = 1 + below(4);
  for (size_t i = 0; i < changes && bytes.size() > 1; ++i) {
    const size_t at = below(bytes.size());
    switch (below(5)) {
      case 0:
        bytes[at] ^= static_cast<char>(1 << below(8));
        break;
      case 1:
        bytes[at] = static_cast<char>(below(256));
        break;
      case 2:
        std::fill_n(bytes.begin() + static_cast<ptrdiff_t>(at),
                    std::min<size_t>(4, bytes.size() - at), below(2) == 0 ? '\xff' : '\0');
        break;
      case 3: {
        const size_t size = below(std::min<size_t>(64, bytes.size() - at) + 1);
        bytes.insert(below(bytes.size()), bytes.substr(at, size));
        break;
      }
      default:
        if (i == 0) bytes.resize(at);
    }
  }
  return bytes;
}

// Calls `read`, which returns how many bytes it was given, with each damaged file.
void ReadDamaged(const std::string& whole, size_t growth,
                 const std::function<size_t(std::string_view)>& read) {
  ASSERT_GT(read(whole), 0u);
  RandomStream random(7);
  for (int i = 0; i < kFiles; ++i) {
    const std::string bytes = Mutated(whole, random);
    ASSERT_LE(read(bytes), growth * (bytes.size() + 1)) << i;
  }
}

TEST(MutatedSetsTest, RecordIoWithAndWithoutAnIndex) {
  const std::string split =
      "1234\x0a\x23\xd7\xce"
      "5678\x0a\x23\xd7\xce";
  const RecordIoFiles set = InsightFaceSet({{0, "first"}, {1, split}, {2, "third"}}, 2);
  for (const bool with_index : {false, true}) {
    ReadDamaged(with_index ? set.idx + '|' + set.rec : set.rec, 1, [&](std::string_view bytes) {
      const size_t end = with_index ? std::min(bytes.find('|'), bytes.size() - 1) : 0;
      const std::string_view records =
          bytes.substr(std::min(with_index ? end + 1 : 0, bytes.size()));
      const auto index = IndexRecordIo(records, bytes.substr(0, end));
      size_t total = 0;
      for (size_t i = 0; index.ok() && i < index->places.size(); ++i) {
        total += RecordIoImage(records, index->places[i].offset).value_or("").size();
      }
      return total;
    });
  }
}

TEST(MutatedSetsTest, TfRecordAndItsExamples) {
  const std::string example = TfExampleOf(7, "image/encoded", "picture", "7/a.png");
  ReadDamaged(TfRecordOf(example) + TfRecordOf(example), 1, [](std::string_view bytes) {
    size_t total = 0;
    for (uint64_t offset = 0; offset < bytes.size();) {
      const auto record = TfRecordAt(bytes, offset);
      if (!record.ok()) break;
      total += ParseTfExample(record->data).value_or(TfExample()).encoded.size();
      offset = record->end;
    }
    return total;
  });
  ReadDamaged(example, 1, [](std::string_view bytes) {
    return ParseTfExample(bytes).value_or(TfExample()).encoded.size();
  });
}

TEST(MutatedSetsTest, Zip) {
  const std::string zip =
      ZipOf({{"a/1.png", "first"}, {"a/2.png", std::string(300, 'x'), true}, {"b/1.png", "last"}});
  // Also where the directory is damaged, no file is named twice.
  ReadDamaged(zip, kMostInflation, [](std::string_view bytes) {
    LeftOut left_out;
    const auto members = ListZip(bytes, left_out);
    size_t total = 0;
    for (size_t i = 0; members.ok() && i < members->size(); ++i) {
      total += ReadZipMember(bytes, (*members)[i], kMostOfMember).value_or("").size();
    }
    return total;
  });
}

TEST(MutatedSetsTest, Tar) {
  const std::string pax = "16 path=b/3.png\n";
  const std::string tar = TarMember({.name = "x", .bytes = pax, .type = 'x'}) +
                          TarMember({.name = "x", .bytes = "c/4.png", .type = 'L'}) +
                          TarOf({{"a/1.png", "first"}, {"a/2.png", std::string(700, 'x')}});
  ReadDamaged(tar, 1, [](std::string_view damaged) {
    const std::string bytes = WithTarSums(std::string(damaged));
    LeftOut left_out;
    const auto members = ListTar(bytes, left_out);
    if (!members.ok()) return size_t{0};
    return std::accumulate(
        members->begin(), members->end(), size_t{0},
        [](size_t total, const ArchiveMember& one) { return total + one.bytes; });
  });
}

TEST(MutatedSetsTest, Idx) {
  ReadDamaged(IdxBytes({2, 2, 3}, "abcdefABCDEF"), 1, [](std::string_view bytes) {
    return ParseIdx(bytes).value_or(IdxArray()).bytes.size();
  });
}

}  // namespace
}  // namespace facegate
