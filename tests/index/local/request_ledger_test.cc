// These tests ask which requests the ledger knows, and for how long.

#include "index/local/request_ledger.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <latch>
#include <thread>

#include "index/local/store_writer.h"
#include "tests/index/local/requests_fixture.h"
#include "tests/support/fake_clock.h"
#include "tests/support/faulty_store.h"

namespace facegate {
namespace {

using namespace std::chrono_literals;

// A store and its ledger alone, on a clock that stands still.
class RequestLedgerTest : public ::testing::Test {
 protected:
  static constexpr IdentityKey kOwner{.collection = 1, .identity = 2};
  static constexpr IdentityKey kSettings{.collection = 1, .identity = 0};

  RequestLedgerTest() {
    auto store = OpenTemplateStore({.directory = dir_.File("store")});
    FACEGATE_CHECK(store.ok());
    store_ = *std::move(store);
    FACEGATE_CHECK(store_->ReserveUids(10).ok());
  }

  // A write under that id, one microsecond after the one before.
  void Make(RequestLedger& ledger, FakeClock& clock, uint64_t id,
            const IdentityKey& owner = kOwner) {
    clock.Advance(std::chrono::microseconds(1));
    const auto ticket = ledger.Begin(NumberedRequest(id), FingerprintOf('f'));
    ASSERT_THAT(ticket, IsOk());
    ASSERT_FALSE(ticket->answer.has_value()) << id;
    StoreChange change;
    ASSERT_THAT(ledger.Keep(Answering<Deleted>(*ticket, fmt::format("answer {}", id)), Deleted{},
                            owner, change),
                IsOk());
    ASSERT_THAT(StoreWriter(*store_, ledger).Write(change), IsOk());
  }
  Status Upkeep(RequestLedger& ledger) { return StoreWriter(*store_, ledger).DoUpkeep(); }
  static bool Knows(RequestLedger& ledger, uint64_t id) {
    const auto ticket = ledger.Begin(NumberedRequest(id), FingerprintOf('f'));
    EXPECT_THAT(ticket, IsOk());
    return ticket.ok() && ticket->answer.has_value();
  }
  size_t Stored() const {
    size_t count = 0;
    FACEGATE_CHECK(store_
                       ->ReadRequests({}, std::nullopt,
                                      [&](const StoredRequest&) {
                                        ++count;
                                        return OkStatus();
                                      })
                       .ok());
    return count;
  }

  TempDir dir_;
  FakeClock clock_;
  std::unique_ptr<TemplateStore> store_;
};

TEST_F(RequestLedgerTest, ForgetsNothingBeforeItsTime) {
  RequestLedger ledger(*store_, clock_);
  Make(ledger, clock_, 1);
  clock_.Advance(kRequestLifetime);
  EXPECT_THAT(Upkeep(ledger), IsOk());
  EXPECT_TRUE(Knows(ledger, 1)) << "it is exactly 24 hours old";
}

TEST_F(RequestLedgerTest, ForgetsAllThatAreTooOldByItself) {
  RequestLedger ledger(*store_, clock_);
  for (uint64_t id = 1; id <= 1200; ++id) Make(ledger, clock_, id, kSettings);
  clock_.Advance(kRequestLifetime);
  Make(ledger, clock_, 2000, kSettings);
  EXPECT_TRUE(Knows(ledger, 1)) << "reading and writing forget nothing";
  EXPECT_THAT(Upkeep(ledger), IsOk());
  EXPECT_TRUE(store_->erase_pending());
  for (const uint64_t id : {1, 600, 1200}) EXPECT_FALSE(Knows(ledger, id)) << id;
  EXPECT_TRUE(Knows(ledger, 2000));
  EXPECT_EQ(Stored(), 1u) << "they are out of the store, too";
  // One that was forgotten may be made again.
  Make(ledger, clock_, 1);
  EXPECT_TRUE(Knows(ledger, 1));
}

TEST_F(RequestLedgerTest, ForgetsTheOldestBeyondTheLimit) {
  constexpr size_t kMost = 5;
  RequestLedger ledger(*store_, clock_, kMost);
  for (uint64_t id = 1; id <= 30; ++id) Make(ledger, clock_, id);
  EXPECT_THAT(Upkeep(ledger), IsOk());
  EXPECT_EQ(Stored(), kMost);
  for (uint64_t id = 1; id <= 25; ++id) EXPECT_FALSE(Knows(ledger, id)) << id;
  for (uint64_t id = 26; id <= 30; ++id) EXPECT_TRUE(Knows(ledger, id)) << id;
}

TEST_F(RequestLedgerTest, KeepsTheNewestAnswersOfAnIdentityAlone) {
  constexpr uint64_t kMade = 600;
  RequestLedger ledger(*store_, clock_);
  Make(ledger, clock_, 5000, {.collection = 1, .identity = 3});
  for (uint64_t id = 1; id <= kMade; ++id) Make(ledger, clock_, id);
  EXPECT_EQ(Stored(), kMade + 1) << "that they were made stays known";
  constexpr uint64_t kFirstKept = kMade - kMaxRequestsOfIdentity + 1;
  for (const uint64_t id : {uint64_t{1}, kFirstKept - 1}) {
    EXPECT_THAT(ledger.Begin(NumberedRequest(id), FingerprintOf('f')),
                RefusedWith(Reason::kAnswerErased));
  }
  for (const uint64_t id : {kFirstKept, kMade, uint64_t{5000}}) EXPECT_TRUE(Knows(ledger, id));
  StoreChange deletion;
  ASSERT_THAT(ledger.Bury(kOwner, deletion), IsOk());
  EXPECT_EQ(deletion.requests.size(), kMaxRequestsOfIdentity);
}

// A ledger over what another one left, opened with the clock on the wall at another time.
class LedgerTimeTest : public RequestLedgerTest {
 protected:
  // The monotonic clock begins at 0, as after a restart of the machine.
  class ShiftedClock final : public Clock {
   public:
    TimePoint Now() const override { return TimePoint(running_); }
    int64_t UnixMicros() const override { return unix_us_; }
    std::chrono::microseconds running_{0};
    int64_t unix_us_ = 0;
  };

  std::unique_ptr<RequestLedger> OpenLedger(Clock& clock, size_t max_requests = kMaxRequests) {
    auto ledger = std::make_unique<RequestLedger>(*store_, clock, max_requests);
    FACEGATE_CHECK(store_
                       ->ReadRequests({}, std::nullopt,
                                      [&](const StoredRequest& stored) {
                                        return ledger->Load(stored.key, stored.create_time_us);
                                      })
                       .ok());
    const auto time = store_->ReadRequestTime();
    FACEGATE_CHECK(time.ok());
    ledger->Loaded(*time);
    return ledger;
  }
  // A request that a ledger made which is no more.
  void MakeAndClose(uint64_t id) {
    RequestLedger ledger(*store_, clock_);
    Make(ledger, clock_, id);
  }

  ShiftedClock shifted_;
};

TEST_F(LedgerTimeTest, LoadedRequestsAreForgottenInTheirOrder) {
  {
    RequestLedger ledger(*store_, clock_);
    for (uint64_t id = 10; id >= 1; --id) Make(ledger, clock_, id);
  }
  const auto ledger = OpenLedger(clock_, 5);
  EXPECT_THAT(Upkeep(*ledger), IsOk());
  for (const uint64_t id : {10, 9, 8, 7, 6}) EXPECT_FALSE(Knows(*ledger, id)) << id;
  for (const uint64_t id : {5, 4, 3, 2, 1}) EXPECT_TRUE(Knows(*ledger, id)) << id;
}

TEST_F(LedgerTimeTest, AClockThatIsSetForwardMakesNothingBeForgotten) {
  MakeAndClose(1);
  shifted_.unix_us_ = clock_.UnixMicros() + std::chrono::microseconds(48h).count();
  const auto ledger = OpenLedger(shifted_);
  shifted_.unix_us_ += std::chrono::microseconds(48h).count();
  EXPECT_THAT(Upkeep(*ledger), IsOk());
  EXPECT_TRUE(Knows(*ledger, 1)) << "not at the opening, nor while it is open";
  shifted_.running_ = 13h;
  EXPECT_THAT(Upkeep(*ledger), IsOk());
  EXPECT_FALSE(Knows(*ledger, 1)) << "twelve hours of a pause count";
}

TEST_F(LedgerTimeTest, AClockThatIsSetBackMakesNothingBeKeptLonger) {
  MakeAndClose(1);
  shifted_.unix_us_ = clock_.UnixMicros() - std::chrono::microseconds(480h).count();
  const auto ledger = OpenLedger(shifted_);
  shifted_.running_ = 24h + 1s;
  EXPECT_THAT(Upkeep(*ledger), IsOk());
  EXPECT_FALSE(Knows(*ledger, 1));
}

TEST_F(LedgerTimeTest, ManyShortRunsAreTimeThatPasses) {
  MakeAndClose(1);
  shifted_.unix_us_ = clock_.UnixMicros();
  for (int run = 0; run < 3; ++run) {
    shifted_.unix_us_ += std::chrono::microseconds(10h).count();
    EXPECT_THAT(Upkeep(*OpenLedger(shifted_)), IsOk());
  }
  EXPECT_EQ(Stored(), 0u);
}

// A request that a call is at work on is not taken from under it.
TEST_F(RequestLedgerTest, ForgetsNothingThatIsAtWork) {
  RequestLedger ledger(*store_, clock_);
  Make(ledger, clock_, 1);
  Make(ledger, clock_, 2);
  clock_.Advance(kRequestLifetime + std::chrono::seconds(1));
  {
    const auto held = ledger.Begin(NumberedRequest(1), FingerprintOf('f'));
    ASSERT_THAT(held, IsOk());
    EXPECT_THAT(Upkeep(ledger), IsOk());
    EXPECT_EQ(held->answer, "answer 1");
    EXPECT_EQ(Stored(), 1u);
  }
  EXPECT_THAT(Upkeep(ledger), IsOk());
  EXPECT_EQ(Stored(), 0u);
}

TEST_F(RequestLedgerTest, KeepsWhatAFailedWriteWouldHaveForgotten) {
  auto inner = OpenTemplateStore({.directory = dir_.File("other")});
  ASSERT_THAT(inner, IsOk());
  auto* const store = new FaultyStore(*std::move(inner));
  store_.reset(store);
  ASSERT_THAT(store->ReserveUids(10), IsOk());
  RequestLedger ledger(*store, clock_);
  Make(ledger, clock_, 1);
  EXPECT_THAT(Upkeep(ledger), IsOk());
  clock_.Advance(kRequestLifetime + std::chrono::seconds(1));
  store->SetBeforeWrite([&] { store->FailNextWrite(Refuse(Reason::kStoreFull, "as told")); });
  EXPECT_THAT(Upkeep(ledger), RefusedWith(Reason::kStoreFull));
  EXPECT_TRUE(Knows(ledger, 1));
  store->SetBeforeWrite({});
  EXPECT_THAT(Upkeep(ledger), IsOk());
  EXPECT_FALSE(Knows(ledger, 1));
}

TEST_F(RequestLedgerTest, RefusesAnIdThatTheStoreHoldsTwice) {
  RequestLedger ledger(*store_, clock_);
  EXPECT_THAT(ledger.Load({.owner = kOwner, .id = NumberedRequest(1)}, 1), IsOk());
  EXPECT_THAT(ledger.Load({.owner = {.collection = 1, .identity = 0}, .id = NumberedRequest(1)}, 2),
              RefusedWith(Reason::kStoreCorrupt));
}

}  // namespace
}  // namespace facegate
