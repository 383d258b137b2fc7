// Writes with a request id: made once, answered alike, forgotten in time, erased with what they
// tell of.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <latch>
#include <thread>

#include "index/request_ledger.h"
#include "tests/index/gallery_fixture.h"
#include "tests/support/fake_clock.h"
#include "tests/support/faulty_store.h"

namespace facegate {
namespace {

using namespace std::chrono_literals;

RequestId IdOf(uint64_t number) {
  RequestId id;
  for (size_t i = 0; i < sizeof number; ++i) {
    id.bytes[i] = static_cast<uint8_t>(number >> (8 * i));
  }
  id.bytes.back() = 0xff;
  return id;
}

std::string FingerprintOf(char c) { return std::string(kFingerprintBytes, c); }

// A receipt of any kind of change, which answers `text`.
template <typename Result>
Receipt<Result> Answering(const RequestTicket& ticket, const std::string& text) {
  return {.ticket = &ticket, .answer = [text](const Result&) { return text; }};
}

class RequestsTest : public GalleryTest {
 protected:
  StatusOr<RequestTicket> Begin(uint64_t id, char fingerprint = 'f') {
    return gallery_->BeginRequest(IdOf(id), FingerprintOf(fingerprint));
  }
  // What the request answered; nothing, when it is new.
  std::optional<std::string> AnswerOf(uint64_t id) {
    const auto ticket = Begin(id);
    EXPECT_THAT(ticket, IsOk());
    return ticket.ok() ? ticket->answer : std::nullopt;
  }
  // Enrols one template under a request id, answering `answer`.
  void EnrolAs(uint64_t id, const std::string& identity, const std::string& answer) {
    const auto ticket = Begin(id);
    ASSERT_THAT(ticket, IsOk());
    ASSERT_FALSE(ticket->answer.has_value());
    const std::vector<NewTemplate> one{TemplateOf(Random())};
    EXPECT_THAT(gallery_->Enrol("people", identity, TestModel(), one, {},
                                Answering<EnrolResult>(*ticket, answer)),
                IsOk());
  }
  Status DeleteIdentityAs(uint64_t id, const std::string& identity, const std::string& answer) {
    const auto ticket = Begin(id);
    if (!ticket.ok()) return ticket.status();
    return gallery_->DeleteIdentity("people", identity, "", Answering<uint64_t>(*ticket, answer))
        .status();
  }
  Status DeleteCollectionAs(uint64_t id, const std::string& answer) {
    const auto ticket = Begin(id);
    if (!ticket.ok()) return ticket.status();
    return gallery_->DeleteCollection("people", true, Answering<Deleted>(*ticket, answer));
  }
  // Checks now and after reopening.
  void NowAndLater(const std::function<void()>& check) {
    check();
    Reopen();
    check();
  }
};

TEST_F(RequestsTest, GivesTheAnswerAgainAlsoAfterReopening) {
  EXPECT_EQ(AnswerOf(1), std::nullopt);
  EXPECT_EQ(AnswerOf(1), std::nullopt) << "asking alone makes nothing";
  const std::string answer("\0any\xff bytes", 11);
  EnrolAs(1, "jane", answer);
  NowAndLater([&] {
    EXPECT_EQ(AnswerOf(1), answer);
    EXPECT_EQ(AnswerOf(2), std::nullopt);
    EXPECT_EQ(gallery_->stats().templates, 1u);
  });
}

TEST_F(RequestsTest, CallsTheAnswerWithWhatTheChangeComesTo) {
  const auto ticket = Begin(1);
  ASSERT_THAT(ticket, IsOk());
  const std::vector<NewTemplate> two{TemplateOf(Random()), TemplateOf(Random())};
  EnrolResult told;
  const auto result = gallery_->Enrol("people", "jane", TestModel(), two, {},
                                      {.ticket = &*ticket, .answer = [&](const EnrolResult& r) {
                                         told = r;
                                         return std::string("a");
                                       }});
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(told.template_ids, result->template_ids);
  EXPECT_TRUE(told.created_identity);
  const IdentityInfo listed = *gallery_->GetIdentity("people", "jane");
  for (const IdentityInfo& info : {told.identity, result->identity}) {
    EXPECT_EQ(info.id, listed.id);
    EXPECT_EQ(info.etag, listed.etag);
    EXPECT_EQ(info.create_time_us, listed.create_time_us);
    EXPECT_EQ(info.update_time_us, listed.update_time_us);
    EXPECT_EQ(info.template_count, 2u);
  }
}

TEST_F(RequestsTest, KeepsTheAnswerOfEveryKindOfChange) {
  const auto with = [&](uint64_t id, const std::function<Status(const RequestTicket&)>& change) {
    const auto ticket = Begin(id);
    ASSERT_THAT(ticket, IsOk());
    EXPECT_THAT(change(*ticket), IsOk()) << id;
  };
  with(1, [&](const RequestTicket& ticket) {
    return gallery_
        ->CreateCollection("more", TestModel(), 4, {}, Answering<CollectionInfo>(ticket, "a1"))
        .status();
  });
  Enrol("source", Random());
  EnrolAs(2, "jane", "a2");
  const uint64_t extra = Enrol("jane", Random());
  with(3, [&](const RequestTicket& ticket) {
    return gallery_
        ->UpdateLabels("people", "jane", {.replace_all = false, .set = {{"a", "1"}}, .remove = {}},
                       "", Answering<IdentityInfo>(ticket, "a3"))
        .status();
  });
  with(4, [&](const RequestTicket& ticket) {
    return gallery_->DeleteTemplate("people", "jane", extra, Answering<Deleted>(ticket, ""));
  });
  with(5, [&](const RequestTicket& ticket) {
    return gallery_
        ->RenameIdentity("people", "jane", "janet", "", Answering<IdentityInfo>(ticket, "a5"))
        .status();
  });
  with(6, [&](const RequestTicket& ticket) {
    return gallery_
        ->MergeIdentities("people", {.id = "source", .etag = {}}, {.id = "janet", .etag = {}},
                          Answering<MergeResult>(ticket, "a6"))
        .status();
  });
  Enrol("gone", Random());
  EXPECT_THAT(DeleteIdentityAs(7, "gone", "a7"), IsOk());
  with(8, [&](const RequestTicket& ticket) {
    return gallery_->DeleteCollection("more", false, Answering<Deleted>(ticket, "a8"));
  });
  NowAndLater([&] {
    EXPECT_THAT(Begin(1), RefusedWith(Reason::kCollectionNotFound)) << "it was deleted since";
    for (const uint64_t id : {2, 3, 4}) {
      EXPECT_THAT(Begin(id), RefusedWith(Reason::kAnswerErased)) << "it told the old id: " << id;
    }
    for (const auto& [id, answer] : std::vector<std::pair<uint64_t, std::string>>{
             {5, "a5"}, {6, "a6"}, {7, "a7"}, {8, "a8"}}) {
      EXPECT_EQ(AnswerOf(id), answer) << id;
    }
  });
}

TEST_F(RequestsTest, RefusesTheIdOfAnotherRequest) {
  EnrolAs(1, "jane", "answer");
  NowAndLater([&] {
    EXPECT_THAT(Begin(1, 'g'), RefusedWith(Reason::kRequestIdReused));
    EXPECT_EQ(AnswerOf(1), "answer") << "the first one is as it was";
  });
  // Also when what it wrote is gone: that it was used is not forgotten.
  ASSERT_THAT(gallery_->DeleteIdentity("people", "jane"), IsOk());
  NowAndLater([&] { EXPECT_THAT(Begin(1, 'g'), RefusedWith(Reason::kRequestIdReused)); });
}

TEST_F(RequestsTest, AnIdIsFreeForAnotherRequestWhenTheFirstMadeNothing) {
  {
    const auto ticket = Begin(1);
    ASSERT_THAT(ticket, IsOk());
    EXPECT_THAT(gallery_->DeleteIdentity("people", "nobody", "", Answering<uint64_t>(*ticket, "a")),
                RefusedWith(Reason::kIdentityNotFound));
  }
  const auto other = Begin(1, 'g');
  ASSERT_THAT(other, IsOk());
  EXPECT_FALSE(other->answer.has_value());
}

TEST_F(RequestsTest, TellsThatWhatItWroteWasDeleted) {
  EnrolAs(1, "jane", "answer");
  EnrolAs(2, "john", "of john");
  EXPECT_THAT(DeleteIdentityAs(3, "jane", "deleted"), IsOk());
  NowAndLater([&] {
    EXPECT_THAT(Begin(1), RefusedWith(Reason::kIdentityNotFound));
    EXPECT_EQ(AnswerOf(2), "of john");
    EXPECT_EQ(AnswerOf(3), "deleted");
  });
  // Another identity of that id is not what the request wrote.
  Enrol("jane", Random());
  NowAndLater([&] { EXPECT_THAT(Begin(1), RefusedWith(Reason::kIdentityNotFound)); });
  EXPECT_THAT(DeleteCollectionAs(4, "collection deleted"), IsOk());
  NowAndLater([&] {
    for (const uint64_t id : {1, 2, 3}) {
      EXPECT_THAT(Begin(id), RefusedWith(Reason::kCollectionNotFound)) << id;
    }
    EXPECT_EQ(AnswerOf(4), "collection deleted");
  });
  // As before, when there is another collection of that id.
  ASSERT_THAT(gallery_->CreateCollection("people", TestModel(), kSize, {}), IsOk());
  NowAndLater([&] {
    EXPECT_THAT(Begin(2), RefusedWith(Reason::kCollectionNotFound));
    EXPECT_EQ(AnswerOf(4), "collection deleted");
  });
}

// What a change takes away, the answers of before may tell; that they were made stays known.
class OutdatedAnswersTest : public RequestsTest {
 protected:
  OutdatedAnswersTest() {
    EnrolAs(1, "jane", "of jane");
    EnrolAs(2, "john", "of john");
    extra_ = Enrol("jane", Random());
    Label({{"team", "red"}});
  }
  void Label(const Labels& set, const std::vector<std::string>& remove = {}) {
    EXPECT_THAT(gallery_->UpdateLabels("people", "jane",
                                       {.replace_all = false, .set = set, .remove = remove}, ""),
                IsOk());
  }
  void ExpectOutdated() {
    NowAndLater([&] {
      EXPECT_THAT(Begin(1), RefusedWith(Reason::kAnswerErased));
      EXPECT_THAT(Begin(1, 'g'), RefusedWith(Reason::kRequestIdReused));
      EXPECT_EQ(AnswerOf(2), "of john");
    });
  }

  uint64_t extra_ = 0;
};

TEST_F(OutdatedAnswersTest, StayWhereAChangeOnlyAdds) {
  Label({{"team", "red"}, {"site", "2"}});
  Enrol("jane", Random());
  NowAndLater([&] { EXPECT_EQ(AnswerOf(1), "of jane"); });
}

TEST_F(OutdatedAnswersTest, GoWithARemovedLabel) {
  Label({}, {"team"});
  ExpectOutdated();
}

TEST_F(OutdatedAnswersTest, GoWithAnOverwrittenLabel) {
  Label({{"team", "blue"}});
  ExpectOutdated();
}

TEST_F(OutdatedAnswersTest, GoWithAnOldId) {
  ASSERT_THAT(gallery_->RenameIdentity("people", "jane", "janet", ""), IsOk());
  ExpectOutdated();
}

TEST_F(OutdatedAnswersTest, GoWithADeletedTemplate) {
  ASSERT_THAT(gallery_->DeleteTemplate("people", "jane", extra_), IsOk());
  ExpectOutdated();
}

TEST_F(OutdatedAnswersTest, GoWithTheSourceOfAMerge) {
  {
    const auto ticket = Begin(3);
    ASSERT_THAT(ticket, IsOk());
    ASSERT_THAT(
        gallery_->MergeIdentities("people", {.id = "jane", .etag = {}}, {.id = "john", .etag = {}},
                                  Answering<MergeResult>(*ticket, "merged")),
        IsOk());
  }
  ExpectOutdated();
  EXPECT_EQ(AnswerOf(3), "merged");
  ASSERT_THAT(gallery_->DeleteIdentity("people", "john"), IsOk());
  NowAndLater([&] {
    for (const uint64_t id : {2, 3}) {
      EXPECT_THAT(Begin(id), RefusedWith(Reason::kIdentityNotFound)) << id;
    }
  });
}

TEST_F(OutdatedAnswersTest, StayOutdatedWhenTheIdentityIsDeleted) {
  Label({}, {"team"});
  ASSERT_THAT(gallery_->DeleteIdentity("people", "jane"), IsOk());
  ExpectOutdated();
}

TEST_F(OutdatedAnswersTest, GoWithTheirCollectionAtLast) {
  Label({}, {"team"});
  ASSERT_THAT(gallery_->DeleteCollection("people", true), IsOk());
  NowAndLater([&] { EXPECT_THAT(Begin(1), RefusedWith(Reason::kCollectionNotFound)); });
}

class RequestErasureTest : public RequestsTest {
 protected:
  static constexpr char kAnswer[] = "an answer that tells of jane";
  static constexpr char kOther[] = "an answer that tells of john";

  size_t Count(const std::string& bytes) { return CountInFiles(directory(), bytes); }
  void ExpectErased() {
    ASSERT_GT(Count(kAnswer), 0u);
    ASSERT_THAT(gallery_->Compact(), IsOk());
    gallery_.reset();
    EXPECT_EQ(Count(kAnswer), 0u);
    EXPECT_GT(Count(std::string(kFingerprintBytes, 'f')), 0u) << "the mark of it stays";
    gallery_ = OpenOrDie(directory(), clock_);
    EXPECT_EQ(Count(kAnswer), 0u);
  }
};

TEST_F(RequestErasureTest, LeavesNoByteOfAnAnswerWithItsIdentity) {
  EnrolAs(1, "jane", kAnswer);
  EnrolAs(2, "john", kOther);
  ASSERT_THAT(gallery_->DeleteIdentity("people", "jane"), IsOk());
  ExpectErased();
  EXPECT_GT(Count(kOther), 0u);
  EXPECT_EQ(AnswerOf(2), kOther);
}

TEST_F(RequestErasureTest, LeavesNoByteOfAnswersInOldTables) {
  EnrolAs(1, "jane", kAnswer);
  EnrolAs(2, "john", kOther);
  ASSERT_THAT(gallery_->Compact(), IsOk());
  Reopen();
  ASSERT_THAT(gallery_->DeleteIdentity("people", "jane"), IsOk());
  ExpectErased();
  EXPECT_EQ(AnswerOf(2), kOther);
}

TEST_F(RequestErasureTest, LeavesNoByteOfAnswersWithTheirCollection) {
  EnrolAs(1, "jane", kAnswer);
  ASSERT_THAT(DeleteCollectionAs(2, kOther), IsOk());
  ExpectErased();
  EXPECT_EQ(AnswerOf(2), kOther);
}

TEST_F(RequestErasureTest, LeavesNoByteOfAnAnswerThatALaterChangeOutdates) {
  EnrolAs(1, "jane", kAnswer);
  ASSERT_THAT(gallery_->Compact(), IsOk());
  Reopen();
  ASSERT_THAT(gallery_->RenameIdentity("people", "jane", "janet", ""), IsOk());
  ExpectErased();
}

// By itself, without another change.
TEST_F(RequestErasureTest, LeavesNoByteOfAnAnswerThatIsTooOld) {
  FakeClock clock;
  gallery_.reset();
  auto opened = OpenLocalGallery({.directory = directory(),
                                  .erase_delay = std::chrono::milliseconds(1),
                                  .upkeep_interval = std::chrono::milliseconds(5)},
                                 clock);
  ASSERT_THAT(opened, IsOk());
  gallery_ = *std::move(opened);
  EnrolAs(1, "jane", kAnswer);
  ASSERT_THAT(gallery_->Compact(), IsOk());
  ASSERT_GT(Count(kAnswer), 0u);
  clock.Advance(kRequestLifetime + std::chrono::seconds(1));
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (Count(kAnswer) > 0 && std::chrono::steady_clock::now() < patience) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_EQ(Count(kAnswer), 0u);
  EXPECT_EQ(AnswerOf(1), std::nullopt);
  gallery_.reset();  // before its clock
}

// On the machine's clock, and with writes of any length.
class RequestRacesTest : public RequestsTest {
 protected:
  static constexpr int kCallers = 50;

  // As a client does: again while another call is at work.
  static StatusOr<RequestTicket> BeginInTurn(Gallery& gallery, uint64_t id) {
    auto ticket = gallery.BeginRequest(IdOf(id), FingerprintOf('f'));
    while (ReasonOf(ticket.status()) == Reason::kRequestInProgress) {
      std::this_thread::yield();
      ticket = gallery.BeginRequest(IdOf(id), FingerprintOf('f'));
    }
    return ticket;
  }
  // Enrols under request 1 if it was not made yet; the answer either way.
  static StatusOr<std::string> EnrolOnce(Gallery& gallery, std::atomic<int>& made,
                                         const Embedding& face) {
    FACEGATE_ASSIGN_OR_RETURN(const RequestTicket ticket, BeginInTurn(gallery, 1));
    if (ticket.answer.has_value()) return *ticket.answer;
    const std::vector<NewTemplate> one{TemplateOf(face)};
    const auto answer = [](const EnrolResult& r) {
      return fmt::format("{} {}", r.template_ids.front(), r.identity.etag);
    };
    FACEGATE_ASSIGN_OR_RETURN(const EnrolResult result,
                              gallery.Enrol("people", "jane", TestModel(), one, {},
                                            {.ticket = &ticket, .answer = answer}));
    ++made;
    return answer(result);
  }
  // kCallers threads at once; all their answers.
  std::vector<StatusOr<std::string>> EnrolFromAll(Gallery& gallery, std::atomic<int>& made) {
    std::vector<StatusOr<std::string>> answers(kCallers, Internal("not answered"));
    const Embedding face = Random();
    std::latch ready(kCallers);
    std::vector<std::jthread> threads;
    threads.reserve(kCallers);
    for (size_t t = 0; t < kCallers; ++t) {
      threads.emplace_back([&, t] {
        ready.arrive_and_wait();
        answers[t] = EnrolOnce(gallery, made, face);
      });
    }
    threads.clear();
    return answers;
  }
};

TEST_F(RequestRacesTest, MakesTheChangeOnceForAllWhoAskAtOnce) {
  gallery_.reset();
  gallery_ = OpenOrDie(directory(), Clock::System());
  std::atomic<int> made{0};
  const auto answers = EnrolFromAll(*gallery_, made);
  EXPECT_EQ(made, 1);
  EXPECT_EQ(gallery_->stats().templates, 1u);
  ASSERT_THAT(answers.front(), IsOk());
  for (const auto& answer : answers) {
    ASSERT_THAT(answer, IsOk());
    EXPECT_EQ(*answer, *answers.front());
  }
  gallery_.reset();
  gallery_ = OpenOrDie(directory(), Clock::System());
  for (const auto& answer : EnrolFromAll(*gallery_, made)) {
    ASSERT_THAT(answer, IsOk());
    EXPECT_EQ(*answer, *answers.front());
  }
  EXPECT_EQ(made, 1);
  EXPECT_EQ(gallery_->stats().templates, 1u);
}

// Requests are outdated while others look them up.
TEST_F(RequestRacesTest, LooksUpRequestsWhileTheirOwnerChanges) {
  gallery_.reset();
  gallery_ = OpenOrDie(directory(), Clock::System());
  constexpr uint64_t kRequests = 20;
  for (uint64_t id = 1; id <= kRequests; ++id) EnrolAs(id, "a", fmt::format("answer {}", id));
  std::atomic<bool> done{false};
  std::vector<std::jthread> readers;
  for (uint64_t t = 0; t < 4; ++t) {
    readers.emplace_back([&, t] {
      for (uint64_t i = t; !done; ++i) {
        const uint64_t id = i % kRequests + 1;
        const auto ticket = BeginInTurn(*gallery_, id);
        if (ticket.ok()) {
          EXPECT_EQ(ticket->answer, fmt::format("answer {}", id));
        } else {
          EXPECT_THAT(ticket, RefusedWith(Reason::kAnswerErased));
        }
      }
    });
  }
  for (uint64_t round = 1; round <= 50; ++round) {
    const std::string from = round % 2 == 1 ? "a" : "b";
    const std::string into = round % 2 == 1 ? "b" : "a";
    EXPECT_THAT(gallery_->RenameIdentity("people", from, into, ""), IsOk());
    EnrolAs(kRequests + round, into, fmt::format("answer {}", kRequests + round));
  }
  done = true;
  readers.clear();
  for (uint64_t id = 1; id <= kRequests; ++id) {
    EXPECT_THAT(Begin(id), RefusedWith(Reason::kAnswerErased));
  }
  EXPECT_EQ(AnswerOf(kRequests + 50), fmt::format("answer {}", kRequests + 50));
}

// With a store that fails and stops when told to.
class RequestFaultsTest : public RequestRacesTest {
 protected:
  RequestFaultsTest() { Open(Clock::System()); }

  void Open(Clock& clock) {
    gallery_.reset();
    auto inner = OpenTemplateStore({.directory = directory()});
    FACEGATE_CHECK(inner.ok());
    auto store = std::make_unique<FaultyStore>(*std::move(inner));
    store_ = store.get();
    auto gallery = OpenLocalGallery(std::move(store), {}, clock);
    FACEGATE_CHECK(gallery.ok());
    gallery_ = *std::move(gallery);
  }

  FaultyStore* store_ = nullptr;
};

TEST_F(RequestFaultsTest, AnotherCallMakesTheChangeWhenTheFirstOneFails) {
  std::atomic<int> failures{3};
  store_->SetBeforeWrite([&] {
    if (failures-- > 0) store_->FailNextWrite(Refuse(Reason::kStoreFull, "as told"));
  });
  std::atomic<int> made{0};
  const auto answers = EnrolFromAll(*gallery_, made);
  EXPECT_EQ(made, 1);
  EXPECT_EQ(gallery_->stats().templates, 1u);
  std::optional<std::string> first;
  int refused = 0;
  for (const auto& answer : answers) {
    if (!answer.ok()) {
      EXPECT_THAT(answer, RefusedWith(Reason::kStoreFull));
      ++refused;
      continue;
    }
    EXPECT_EQ(*answer, first.value_or(*answer));
    first = *answer;
  }
  EXPECT_EQ(refused, 3);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(AnswerOf(1), first);
}

TEST_F(RequestFaultsTest, RefusesASecondCallAtOnceWhileTheFirstIsAtWork) {
  std::latch inside(1);
  std::latch go_on(1);
  store_->SetBeforeWrite([&] {
    inside.count_down();
    go_on.wait();
  });
  std::atomic<int> made{0};
  const Embedding face = Random();
  std::jthread first([&] { EXPECT_THAT(EnrolOnce(*gallery_, made, face), IsOk()); });
  inside.wait();
  const auto second = Begin(1);
  EXPECT_THAT(second, RefusedWith(Reason::kRequestInProgress));
  EXPECT_EQ(RetryAfterOf(second.status()), std::chrono::milliseconds(100));
  EXPECT_THAT(Begin(1, 'g'), RefusedWith(Reason::kRequestInProgress)) << "whatever it asks for";
  EXPECT_THAT(Begin(2), IsOk()) << "another id";
  go_on.count_down();
  first.join();
  EXPECT_TRUE(AnswerOf(1).has_value());
  EXPECT_EQ(made, 1);
}

// In the store the record lies one step up already, in memory still below the source.
TEST_F(RequestFaultsTest, ALookUpBetweenStoreAndMemoryIsRefusedForAMoment) {
  EnrolAs(1, "source", "answer");
  Enrol("target", Random());
  std::latch written(1);
  std::latch go_on(1);
  store_->SetAfterWrite([&] {
    written.count_down();
    go_on.wait();
  });
  std::jthread merger([&] {
    EXPECT_THAT(gallery_->MergeIdentities("people", {.id = "source", .etag = {}},
                                          {.id = "target", .etag = {}}),
                IsOk());
  });
  written.wait();
  EXPECT_THAT(Begin(1), RefusedWith(Reason::kRequestInProgress));
  go_on.count_down();
  merger.join();
  EXPECT_THAT(Begin(1), RefusedWith(Reason::kAnswerErased));
}

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
  static void Make(RequestLedger& ledger, FakeClock& clock, uint64_t id,
                   const IdentityKey& owner = kOwner) {
    clock.Advance(std::chrono::microseconds(1));
    const auto ticket = ledger.Begin(IdOf(id), FingerprintOf('f'));
    ASSERT_THAT(ticket, IsOk());
    ASSERT_FALSE(ticket->answer.has_value()) << id;
    StoreChange change;
    ASSERT_THAT(ledger.Keep(Answering<Deleted>(*ticket, fmt::format("answer {}", id)), Deleted{},
                            owner, change),
                IsOk());
    ASSERT_THAT(ledger.Write(change), IsOk());
  }
  static bool Knows(RequestLedger& ledger, uint64_t id) {
    const auto ticket = ledger.Begin(IdOf(id), FingerprintOf('f'));
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
  EXPECT_THAT(ledger.DoUpkeep(), IsOk());
  EXPECT_TRUE(Knows(ledger, 1)) << "it is exactly 24 hours old";
}

TEST_F(RequestLedgerTest, ForgetsAllThatAreTooOldByItself) {
  RequestLedger ledger(*store_, clock_);
  for (uint64_t id = 1; id <= 1200; ++id) Make(ledger, clock_, id, kSettings);
  clock_.Advance(kRequestLifetime);
  Make(ledger, clock_, 2000, kSettings);
  EXPECT_TRUE(Knows(ledger, 1)) << "reading and writing forget nothing";
  EXPECT_THAT(ledger.DoUpkeep(), IsOk());
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
  EXPECT_THAT(ledger.DoUpkeep(), IsOk());
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
    EXPECT_THAT(ledger.Begin(IdOf(id), FingerprintOf('f')), RefusedWith(Reason::kAnswerErased));
  }
  for (const uint64_t id : {kFirstKept, kMade, uint64_t{5000}}) EXPECT_TRUE(Knows(ledger, id));
  StoreChange deletion;
  ASSERT_THAT(ledger.Bury(kOwner, deletion), IsOk());
  EXPECT_EQ(deletion.requests.size(), kMaxRequestsOfIdentity);
}

// A ledger over what another one left, opened with the clock on the wall at another time.
class LedgerTimeTest : public RequestLedgerTest {
 protected:
  // With the monotonic clock at 0, as after a restart of the machine.
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
  static void Upkeep(RequestLedger& ledger) { EXPECT_THAT(ledger.DoUpkeep(), IsOk()); }

  ShiftedClock shifted_;
};

TEST_F(LedgerTimeTest, LoadedRequestsAreForgottenInTheirOrder) {
  {
    RequestLedger ledger(*store_, clock_);
    for (uint64_t id = 10; id >= 1; --id) Make(ledger, clock_, id);
  }
  const auto ledger = OpenLedger(clock_, 5);
  Upkeep(*ledger);
  for (const uint64_t id : {10, 9, 8, 7, 6}) EXPECT_FALSE(Knows(*ledger, id)) << id;
  for (const uint64_t id : {5, 4, 3, 2, 1}) EXPECT_TRUE(Knows(*ledger, id)) << id;
}

TEST_F(LedgerTimeTest, AClockThatIsSetForwardMakesNothingBeForgotten) {
  MakeAndClose(1);
  shifted_.unix_us_ = clock_.UnixMicros() + std::chrono::microseconds(48h).count();
  const auto ledger = OpenLedger(shifted_);
  shifted_.unix_us_ += std::chrono::microseconds(48h).count();
  Upkeep(*ledger);
  EXPECT_TRUE(Knows(*ledger, 1)) << "not at the opening, nor while it is open";
  shifted_.running_ = 13h;
  Upkeep(*ledger);
  EXPECT_FALSE(Knows(*ledger, 1)) << "twelve hours of a pause count";
}

TEST_F(LedgerTimeTest, AClockThatIsSetBackMakesNothingBeKeptLonger) {
  MakeAndClose(1);
  shifted_.unix_us_ = clock_.UnixMicros() - std::chrono::microseconds(480h).count();
  const auto ledger = OpenLedger(shifted_);
  shifted_.running_ = 24h + 1s;
  Upkeep(*ledger);
  EXPECT_FALSE(Knows(*ledger, 1));
}

TEST_F(LedgerTimeTest, ManyShortRunsAreTimeThatPasses) {
  MakeAndClose(1);
  shifted_.unix_us_ = clock_.UnixMicros();
  for (int run = 0; run < 3; ++run) {
    shifted_.unix_us_ += std::chrono::microseconds(10h).count();
    Upkeep(*OpenLedger(shifted_));
  }
  EXPECT_EQ(Stored(), 0u);
}

// What a call is at work on is not taken from under it.
TEST_F(RequestLedgerTest, ForgetsNothingThatIsAtWork) {
  RequestLedger ledger(*store_, clock_);
  Make(ledger, clock_, 1);
  Make(ledger, clock_, 2);
  clock_.Advance(kRequestLifetime + std::chrono::seconds(1));
  {
    const auto held = ledger.Begin(IdOf(1), FingerprintOf('f'));
    ASSERT_THAT(held, IsOk());
    EXPECT_THAT(ledger.DoUpkeep(), IsOk());
    EXPECT_EQ(held->answer, "answer 1");
    EXPECT_EQ(Stored(), 1u);
  }
  EXPECT_THAT(ledger.DoUpkeep(), IsOk());
  EXPECT_EQ(Stored(), 0u);
}

TEST_F(RequestLedgerTest, KeepsWhatAFailedWriteWouldHaveForgotten) {
  auto inner = OpenTemplateStore({.directory = dir_.File("other")});
  ASSERT_THAT(inner, IsOk());
  FaultyStore store(*std::move(inner));
  ASSERT_THAT(store.ReserveUids(10), IsOk());
  RequestLedger ledger(store, clock_);
  Make(ledger, clock_, 1);
  EXPECT_THAT(ledger.DoUpkeep(), IsOk());
  clock_.Advance(kRequestLifetime + std::chrono::seconds(1));
  store.SetBeforeWrite([&] { store.FailNextWrite(Refuse(Reason::kStoreFull, "as told")); });
  EXPECT_THAT(ledger.DoUpkeep(), RefusedWith(Reason::kStoreFull));
  EXPECT_TRUE(Knows(ledger, 1));
  store.SetBeforeWrite({});
  EXPECT_THAT(ledger.DoUpkeep(), IsOk());
  EXPECT_FALSE(Knows(ledger, 1));
}

TEST_F(RequestLedgerTest, RefusesAnIdThatTheStoreHoldsTwice) {
  RequestLedger ledger(*store_, clock_);
  EXPECT_THAT(ledger.Load({.owner = kOwner, .id = IdOf(1)}, 1), IsOk());
  EXPECT_THAT(ledger.Load({.owner = {.collection = 1, .identity = 0}, .id = IdOf(1)}, 2),
              RefusedWith(Reason::kStoreCorrupt));
}

}  // namespace
}  // namespace facegate
