#include "index/store/store_takeover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "face/base/coding.h"
#include "index/store/store_format.h"
#include "tests/index/store/committed_store.h"
#include "tests/index/store/filled_gallery.h"
#include "tests/index/store/raw_store.h"

namespace facegate {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

// The twenty templates of a store of format 3 are taken over a few at a time.
class StoreTakeoverTest : public ::testing::Test {
 protected:
  static constexpr size_t kFewBytes = 1000;

  StoreTakeoverTest() { CopyStore(CommittedStore("format_3"), directory()); }

  std::string directory() const { return dir_.File("store"); }
  // Opens the database, and takes it over.
  Status TakeOver(const std::function<Status()>& before_batch) {
    FACEGATE_ASSIGN_OR_RETURN(const auto database, StoreDatabase::Open(directory(), {}));
    return PrepareFormat(*database, {.batch_bytes = kFewBytes, .before_batch = before_batch});
  }
  std::string DescribeAt(const std::string& path) {
    return DescribeGallery(*OpenOrDie(path, clock_));
  }
  static std::string Told() { return ToldOfCommittedStore("format_3"); }
  static size_t OldKeys(RawStore& raw) {
    const auto keys = raw.Keys(Family::kTemplates);
    return static_cast<size_t>(
        std::count_if(keys.begin(), keys.end(), [](const auto& key) { return key.size() == 24; }));
  }

  TempDir dir_;
  CountingClock clock_;
};

TEST_F(StoreTakeoverTest, GoesOnAfterAKillBeforeAnyBatch) {
  std::vector<std::string> copies;
  ASSERT_THAT(TakeOver([&] {
                copies.push_back(dir_.File("copy" + std::to_string(copies.size())));
                CopyStore(directory(), copies.back());
                return OkStatus();
              }),
              IsOk());
  ASSERT_GE(copies.size(), 4u);
  size_t old_before = 21;
  for (const std::string& copy : copies) {
    {
      RawStore raw(copy);
      EXPECT_LT(OldKeys(raw), old_before);
      old_before = OldKeys(raw);
      EXPECT_EQ(raw.Keys(Family::kTemplates).size(), 20u);
    }
    EXPECT_EQ(DescribeAt(copy), Told());
    RawStore raw(copy);
    EXPECT_EQ(OldKeys(raw), 0u);
  }
}

// So that an older program refuses it, and the old bytes are erased whatever comes.
TEST_F(StoreTakeoverTest, MarksTheStoreBeforeTheFirstBatch) {
  EXPECT_THAT(TakeOver([] { return Unavailable("killed"); }), StatusIs(StatusCode::kUnavailable));
  RawStore raw(directory());
  EXPECT_EQ(OldKeys(raw), 20u);
  EXPECT_EQ(ToHex(raw.GetPayload(Family::kMeta, std::string(kFormatKey))), "04000000");
  EXPECT_EQ(ToHex(raw.GetPayload(Family::kMeta, std::string(kTakingOverKey))), "03000000");
  EXPECT_THAT(raw.Keys(Family::kMeta), Contains(EraseMarkOf(Family::kTemplates)));
}

TEST_F(StoreTakeoverTest, GoesOnWhereItWasBrokenOff) {
  for (int round = 0; round < 3; ++round) {
    int batches = 0;
    EXPECT_THAT(TakeOver([&] { return ++batches == 2 ? Unavailable("killed") : OkStatus(); }),
                StatusIs(StatusCode::kUnavailable));
  }
  EXPECT_EQ(DescribeAt(directory()), Told());
}

// A process that was killed before it took the mark away.
TEST_F(StoreTakeoverTest, EndsWhenNothingIsLeft) {
  ASSERT_THAT(TakeOver({}), IsOk());
  const std::string mark(kTakingOverKey);
  RawStore(directory()).PutPayload(Family::kMeta, mark, std::string("\3\0\0\0", 4));
  EXPECT_EQ(DescribeAt(directory()), Told());
  EXPECT_THAT(RawStore(directory()).Keys(Family::kMeta), ::testing::Not(Contains(mark)));
}

TEST_F(StoreTakeoverTest, NamesADamagedTemplate) {
  {
    RawStore raw(directory());
    const std::string key = raw.Keys(Family::kTemplates)[7];
    std::string value = raw.Get(Family::kTemplates, key);
    value[20] = static_cast<char>(value[20] ^ 1);
    raw.Put(Family::kTemplates, key, value);
  }
  const Status status = TakeOver({});
  EXPECT_THAT(status, RefusedWith(Reason::kStoreCorrupt));
  EXPECT_THAT(std::string(MessageOf(status)),
              HasSubstr("template record at collection 1, identity"));
}

TEST_F(StoreTakeoverTest, RefusesAKeyOfNeitherKind) {
  RawStore(directory()).Put(Family::kTemplates, "short", "value");
  const Status status = TakeOver({});
  EXPECT_THAT(status, RefusedWith(Reason::kStoreCorrupt));
  EXPECT_THAT(std::string(MessageOf(status)), HasSubstr("a key of 5 bytes"));
}

}  // namespace
}  // namespace facegate
