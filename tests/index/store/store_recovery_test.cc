#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/index/local/gallery_fixture.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

// What is left of a process that ends without closing: the files as they are.
class StoreRecoveryTest : public GalleryTest {
 protected:
  static constexpr int kSteps = 40;

  StoreRecoveryTest() {
    states_.push_back(SnapshotOf(*gallery_));
    for (int i = 0; i < kSteps; ++i) {
      if (i % 4 == 3) {
        FACEGATE_CHECK(gallery_->DeleteIdentity("people", "p" + std::to_string(i - 2)).ok());
      } else {
        const std::vector<NewTemplate> templates(10, TemplateOf(Random()));
        FACEGATE_CHECK(
            gallery_->Enrol("people", "p" + std::to_string(i), TestModel(), templates, {}).ok());
      }
      states_.push_back(SnapshotOf(*gallery_));
    }
  }

  std::string Copy() {
    std::string copy = dir_.File("copy");
    fs::remove_all(copy);
    fs::copy(directory(), copy, fs::copy_options::recursive);
    return copy;
  }
  // The largest file with that extension.
  static std::string Largest(const std::string& directory, const std::string& extension) {
    std::string largest;
    for (const auto& entry : fs::directory_iterator(directory)) {
      if (entry.path().extension() != extension) continue;
      if (largest.empty() || entry.file_size() > fs::file_size(largest)) {
        largest = entry.path().string();
      }
    }
    FACEGATE_CHECK(!largest.empty());
    return largest;
  }
  static void FlipBit(const std::string& path, size_t bit) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(bit / 8));
    const auto byte = static_cast<char>(file.get() ^ (1 << bit % 8));
    file.seekp(static_cast<std::streamoff>(bit / 8));
    file.put(byte);
    FACEGATE_CHECK(file.good());
  }
  static size_t Find(const std::string& path, const std::string& bytes) {
    std::ifstream file(path, std::ios::binary);
    const std::string content((std::istreambuf_iterator<char>(file)), {});
    const size_t at = content.find(bytes);
    FACEGATE_CHECK(at != std::string::npos);
    return at;
  }
  // Which of the states the store is in, or -1 when it refuses to open as corrupt.
  int StateOf(const std::string& path) {
    auto gallery = OpenLocalGallery({.directory = path}, clock_);
    if (!gallery.ok()) {
      EXPECT_THAT(gallery, RefusedWith(Reason::kStoreCorrupt));
      return -1;
    }
    const auto found = std::find(states_.begin(), states_.end(), SnapshotOf(**gallery));
    EXPECT_TRUE(found != states_.end()) << "the store is in a state that never was";
    return static_cast<int>(found - states_.begin());
  }

  std::vector<GallerySnapshot> states_;  // after each step
};

TEST_F(StoreRecoveryTest, FindsEverythingAfterAnEndWithoutClosing) {
  EXPECT_EQ(StateOf(Copy()), kSteps);
}

// A log that ends early is what a power loss leaves; whole steps are lost, never parts.
TEST_F(StoreRecoveryTest, KeepsWholeStepsOfATruncatedLog) {
  const size_t size = fs::file_size(Largest(directory(), ".log"));
  ASSERT_GT(size, 30'000u);
  int last = kSteps;
  for (size_t cut = 0; cut < 24; ++cut) {
    const std::string copy = Copy();
    fs::resize_file(Largest(copy, ".log"), size - 1 - cut * (size / 25));
    const int state = StateOf(copy);
    EXPECT_GE(state, 0);
    EXPECT_LE(state, last);
    last = state;
  }
  EXPECT_LT(last, kSteps / 2);
}

TEST_F(StoreRecoveryTest, RefusesALogWithADamagedRecord) {
  const auto& early = states_[2].collections[0].identities[0].templates[0];
  const std::string bytes = BytesOf(*Embedding::FromUnit(std::get<4>(early)));
  const std::string copy = Copy();
  const std::string log = Largest(copy, ".log");
  FlipBit(log, 8 * Find(log, bytes) + 3);
  EXPECT_EQ(StateOf(copy), -1);
}

// A flipped length at the log's end looks like a write that was cut off; every other damage is
// found. In no case is there a state that never was.
TEST_F(StoreRecoveryTest, NeverInventsAStateFromADamagedLog) {
  const size_t bits = 8 * fs::file_size(Largest(directory(), ".log"));
  int refused = 0;
  for (int round = 0; round < 40; ++round) {
    const std::string copy = Copy();
    FlipBit(Largest(copy, ".log"), random_() % bits);
    refused += StateOf(copy) == -1 ? 1 : 0;
  }
  EXPECT_GT(refused, 30);
}

TEST_F(StoreRecoveryTest, RefusesATableWithADamagedBlock) {
  const auto& any = states_.back().collections[0].identities[0].templates[0];
  const std::string bytes = BytesOf(*Embedding::FromUnit(std::get<4>(any)));
  gallery_.reset();
  const std::string table = Largest(directory(), ".sst");
  FlipBit(table, 8 * Find(table, bytes) + 5);
  EXPECT_EQ(StateOf(directory()), -1);
}

TEST_F(StoreRecoveryTest, NeverLosesRecordsOfADamagedTable) {
  gallery_.reset();
  const size_t bits = 8 * fs::file_size(Largest(directory(), ".sst"));
  for (int round = 0; round < 40; ++round) {
    const std::string copy = Copy();
    FlipBit(Largest(copy, ".sst"), random_() % bits);
    // Some bits mean nothing (statistics of the table).
    EXPECT_THAT(StateOf(copy), ::testing::AnyOf(-1, kSteps));
  }
}

}  // namespace
}  // namespace facegate
