// What follows a commit needs no memory: this program puts its own operator new before that of the
// C++ library, which counts, and gives none where it is told to.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "index/local/request_ledger.h"
#include "index/local/store_writer.h"
#include "index/store/pending_erasure.h"
#include "tests/index/local/requests_fixture.h"
#include "tests/support/fake_clock.h"
#include "tests/support/faulty_store.h"

namespace {

thread_local uint64_t allocations = 0;                        // of this thread
thread_local uint64_t allocations_left = ~uint64_t{0} >> 1U;  // before one fails

void* Allocate(size_t size) {
  ++allocations;
  if (allocations_left == 0) return nullptr;
  --allocations_left;
  return std::malloc(size == 0 ? 1 : size);
}

// The allocations of this thread from the `left`-th on fail as long as it lives.
class MemoryRunsOut {
 public:
  explicit MemoryRunsOut(uint64_t left) : before_(std::exchange(allocations_left, left)) {}
  ~MemoryRunsOut() { allocations_left = before_; }
  MemoryRunsOut(const MemoryRunsOut&) = delete;
  MemoryRunsOut& operator=(const MemoryRunsOut&) = delete;

 private:
  const uint64_t before_;
};

}  // namespace

// Each that a sanitizer has of its own, too, or memory would come from here and go back there.
void* operator new(size_t size) {
  void* const memory = Allocate(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new(size_t size, const std::nothrow_t& /*nothrow*/) noexcept {
  return Allocate(size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t /*size*/) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t& /*nothrow*/) noexcept {
  std::free(memory);
}

namespace facegate {
namespace {

// Calls `change` with memory for no allocation, then for one, and so on until it succeeds.
// `check` comes after each failure. Returns how often it failed.
template <typename Change, typename Check>
uint64_t UntilMemorySuffices(const Change& change, const Check& check) {
  for (uint64_t left = 0;; ++left) {
    try {
      const MemoryRunsOut runs_out(left);
      change();
      return left;
    } catch (const std::bad_alloc&) {
      check();
    }
  }
}

ErasedKeys ManyIdentities(uint64_t first, size_t count) {
  ErasedKeys erased;
  for (const Family family : {Family::kIdentities, Family::kTemplates}) {
    for (uint64_t i = 0; i < count; ++i) {
      erased[family].Add(RangeOf({.collection = 1, .identity = first + i}));
    }
  }
  return erased;
}

TEST(MemoryFailureTest, AnErasingWriteEndsWithoutAllocations) {
  PendingErasure erasure;
  uint64_t needed = 0;
  // The second makes too many ranges, which become one.
  for (const uint64_t first : {1, 8000}) {
    std::optional<PendingErasure::Writing> writing;
    writing.emplace(erasure, ManyIdentities(first, 6000));
    const uint64_t before = allocations;
    writing->Done();
    writing.reset();
    needed += allocations - before;
  }
  EXPECT_EQ(needed, 0U);
  const ErasedKeys waiting = erasure.waiting();
  EXPECT_EQ(waiting.at(Family::kIdentities).all().size(), 1U);
}

TEST(MemoryFailureTest, AnErasingWriteThatCannotBeginIsNotCounted) {
  PendingErasure erasure;
  const ErasedKeys erased = ManyIdentities(1, 2);
  const auto write = [&] { PendingErasure::Writing(erasure, erased).Done(); };
  EXPECT_GT(UntilMemorySuffices(write, [&] { EXPECT_TRUE(erasure.empty()); }), 0U);
  PendingErasure::Taken taken(erasure);
  EXPECT_TRUE(taken.Finish([](const auto&) { return OkStatus(); }).ok());
  EXPECT_TRUE(erasure.empty());
}

TEST(MemoryFailureTest, ACompactionThatCannotBeginLosesNothing) {
  PendingErasure erasure;
  PendingErasure::Writing(erasure, ManyIdentities(1, 2)).Done();
  const ErasedKeys before = erasure.waiting();
  const auto same = [](const auto& one, const auto& other) {
    return one.first == other.first && one.second.all() == other.second.all();
  };
  const auto check = [&] {
    const ErasedKeys now = erasure.waiting();
    EXPECT_TRUE(std::equal(now.begin(), now.end(), before.begin(), before.end(), same));
  };
  EXPECT_GT(UntilMemorySuffices([&] { const PendingErasure::Taken taken(erasure); }, check), 0U);
  uint64_t needed = 0;
  {
    const PendingErasure::Taken failed(erasure);
    needed = allocations;
  }
  EXPECT_EQ(allocations, needed) << "it goes back as it came";
  check();
}

TEST(MemoryFailureTest, ACollectionsSearchIsChangedWithoutMemoryForIt) {
  const TempDir dir;
  FakeClock clock;
  FACEGATE_ASSERT_OK_AND_ASSIGN(auto inner, OpenTemplateStore({.directory = dir.File("store")}));
  auto owned = std::make_unique<FaultyStore>(std::move(inner));
  FaultyStore& store = *owned;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto gallery, OpenLocalGallery(std::move(owned), {}, clock));
  ASSERT_THAT(gallery->CreateCollection("people", TestModel(), 4, {}), IsOk());
  std::optional<MemoryRunsOut> runs_out;
  store.SetAfterWrite([&] { runs_out.emplace(0); });
  const auto changed = gallery->UpdateCollection("people", {.search = SearchKind::kHnsw}, "");
  runs_out.reset();
  store.SetAfterWrite({});
  EXPECT_THAT(changed, IsOk());
  const auto info = gallery->GetCollection("people");
  EXPECT_EQ(info->settings.search, SearchKind::kHnsw);
  EXPECT_EQ(info->approximate->indexed, 0U);
}

// A store, and a ledger of requests below a collection and one of its identities.
class LedgerMemoryTest : public ::testing::Test {
 protected:
  static constexpr IdentityKey kJane{.collection = 1, .identity = 2};
  static constexpr IdentityKey kSettings{.collection = 1, .identity = 0};

  LedgerMemoryTest() {
    auto inner = OpenTemplateStore({.directory = dir_.File("store")});
    FACEGATE_CHECK(inner.ok());
    store_ = std::make_unique<FaultyStore>(*std::move(inner));
    FACEGATE_CHECK(store_->ReserveUids(10).ok());
    ledger_.emplace(*store_, clock_);
    for (uint64_t id = 1; id <= 5; ++id) {
      StoreChange change;
      Answer(id, id < 3 ? kSettings : kJane, change);
      FACEGATE_CHECK(StoreWriter(*store_, *ledger_).Write(change).ok());
    }
  }
  // The ticket is given back: what is tested is the write.
  void Answer(uint64_t id, const IdentityKey& owner, StoreChange& change) {
    const auto ticket = ledger_->Begin(NumberedRequest(id), FingerprintOf('f'));
    FACEGATE_CHECK(ticket.ok());
    const auto kept =
        ledger_->Keep(Answering<Deleted>(*ticket, "answer"), Deleted{}, owner, change);
    FACEGATE_CHECK(kept.ok());
  }
  // The allocations of a write from the time when the store has it.
  uint64_t NeededAfterTheCommit(const StoreChange& change) {
    uint64_t before = 0;
    store_->SetAfterWrite([&] { before = allocations; });
    const Status written = StoreWriter(*store_, *ledger_).Write(change);
    const uint64_t needed = allocations - before;
    EXPECT_THAT(written, IsOk());
    store_->SetAfterWrite({});
    return needed;
  }

  TempDir dir_;
  FakeClock clock_;
  std::unique_ptr<FaultyStore> store_;
  std::optional<RequestLedger> ledger_;
};

TEST_F(LedgerMemoryTest, AMoveOfRequestsIsKnownWithoutAllocations) {
  StoreChange change;
  ASSERT_THAT(ledger_->Bury(kJane, change), IsOk());
  change.deleted_identities.push_back(kJane);
  Answer(6, kSettings, change);
  EXPECT_EQ(NeededAfterTheCommit(change), 0U);
  EXPECT_THAT(ledger_->Begin(NumberedRequest(3), FingerprintOf('f')),
              RefusedWith(Reason::kIdentityNotFound));
}

TEST_F(LedgerMemoryTest, ADeletedCollectionIsKnownWithoutAllocations) {
  StoreChange change;
  change.deleted_collections.push_back(kJane.collection);
  ledger_->BuryLater(kJane.collection, change);
  EXPECT_EQ(NeededAfterTheCommit(change), 0U);
  EXPECT_THAT(ledger_->Begin(NumberedRequest(3), FingerprintOf('f')),
              RefusedWith(Reason::kCollectionNotFound));
}

TEST_F(LedgerMemoryTest, ARequestThatCannotBeginIsNotAtWork) {
  bool begun = false;
  const auto begin = [&] { begun = ledger_->Begin(NumberedRequest(7), FingerprintOf('f')).ok(); };
  EXPECT_GT(UntilMemorySuffices(begin, [] {}), 0U);
  EXPECT_TRUE(begun);
}

TEST_F(LedgerMemoryTest, RequestsThatCannotBeTakenAreNotAtWork) {
  clock_.Advance(kRequestLifetime + std::chrono::seconds(1));
  size_t taken = 0;
  const auto take = [&] {
    const auto work = ledger_->NextWork();
    taken = work.ok() && work->has_value() ? (*work)->change.deleted_requests.size() : 0;
  };
  EXPECT_GT(UntilMemorySuffices(take, [] {}), 0U);
  EXPECT_EQ(taken, 5U);
}

}  // namespace
}  // namespace facegate
