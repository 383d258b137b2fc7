// Writes with a request id: made once, answered alike, forgotten in time, erased with what they
// tell of.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
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
    for (const auto& [id, answer] : std::vector<std::pair<uint64_t, std::string>>{
             {2, "a2"}, {3, "a3"}, {4, ""}, {5, "a5"}, {6, "a6"}, {7, "a7"}, {8, "a8"}}) {
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

TEST_F(RequestsTest, KeepsTheAnswersOfAMergedIdentity) {
  EnrolAs(1, "source", "of source");
  EnrolAs(2, "target", "of target");
  {
    const auto ticket = Begin(3);
    ASSERT_THAT(ticket, IsOk());
    ASSERT_THAT(gallery_->MergeIdentities("people", {.id = "source", .etag = {}},
                                          {.id = "target", .etag = {}},
                                          Answering<MergeResult>(*ticket, "merged")),
                IsOk());
  }
  NowAndLater([&] {
    EXPECT_EQ(AnswerOf(1), "of source");
    EXPECT_EQ(AnswerOf(2), "of target");
    EXPECT_EQ(AnswerOf(3), "merged");
  });
  // They are the target's now, and go with it.
  ASSERT_THAT(gallery_->DeleteIdentity("people", "target"), IsOk());
  NowAndLater([&] {
    for (const uint64_t id : {1, 2, 3}) {
      EXPECT_THAT(Begin(id), RefusedWith(Reason::kIdentityNotFound)) << id;
    }
  });
}

TEST_F(RequestsTest, KeepsTheAnswersOfARenamedIdentity) {
  EnrolAs(1, "jane", "answer");
  ASSERT_THAT(gallery_->RenameIdentity("people", "jane", "janet", ""), IsOk());
  NowAndLater([&] { EXPECT_EQ(AnswerOf(1), "answer"); });
  ASSERT_THAT(gallery_->DeleteIdentity("people", "janet"), IsOk());
  NowAndLater([&] { EXPECT_THAT(Begin(1), RefusedWith(Reason::kIdentityNotFound)); });
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

// The copy below the source goes with the merge, the one below the target with the deletion.
TEST_F(RequestErasureTest, LeavesNoByteOfAnswersThatWereMovedByAMerge) {
  EnrolAs(1, "jane", kAnswer);
  Enrol("john", Random());
  ASSERT_THAT(
      gallery_->MergeIdentities("people", {.id = "jane", .etag = {}}, {.id = "john", .etag = {}}),
      IsOk());
  ASSERT_THAT(gallery_->Compact(), IsOk());
  Reopen();
  EXPECT_EQ(AnswerOf(1), kAnswer);
  ASSERT_THAT(gallery_->DeleteIdentity("people", "john"), IsOk());
  ExpectErased();
}

// One that was forgotten leaves its bytes in the tables; they go with the identity all the same.
TEST_F(RequestErasureTest, LeavesNoByteOfAForgottenAnswer) {
  FakeClock clock;
  gallery_.reset();
  gallery_ = OpenOrDie(directory(), clock);
  EnrolAs(1, "jane", kAnswer);
  ASSERT_THAT(gallery_->Compact(), IsOk());
  clock.Advance(kRequestLifetime + std::chrono::seconds(1));
  EnrolAs(2, "john", kOther);
  EXPECT_EQ(AnswerOf(1), std::nullopt);
  ASSERT_THAT(gallery_->DeleteIdentity("people", "jane"), IsOk());
  gallery_.reset();
  EXPECT_EQ(Count(kAnswer), 0u);
  gallery_ = OpenOrDie(directory(), clock_);
  EXPECT_EQ(AnswerOf(2), kOther);
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

// Requests are forgotten, moved and buried while others look them up.
TEST_F(RequestRacesTest, LooksUpRequestsWhileTheirOwnersMerge) {
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
        EXPECT_THAT(ticket, IsOk());
        if (ticket.ok()) {
          EXPECT_EQ(ticket->answer, fmt::format("answer {}", id));
        }
      }
    });
  }
  for (int round = 0; round < 50; ++round) {
    const std::string from = round % 2 == 0 ? "a" : "b";
    const std::string into = round % 2 == 0 ? "b" : "a";
    Enrol(into, Random());
    EXPECT_THAT(
        gallery_->MergeIdentities("people", {.id = from, .etag = {}}, {.id = into, .etag = {}}),
        IsOk());
  }
  done = true;
  readers.clear();
  for (uint64_t id = 1; id <= kRequests; ++id) {
    EXPECT_EQ(AnswerOf(id), fmt::format("answer {}", id));
  }
  ASSERT_THAT(gallery_->DeleteIdentity("people", "a"), IsOk());
  for (uint64_t id = 1; id <= kRequests; ++id) {
    EXPECT_THAT(Begin(id), RefusedWith(Reason::kIdentityNotFound));
  }
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

// In the store the record lies below the target already, in memory still below the source.
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
  EXPECT_EQ(AnswerOf(1), "answer");
}

// A store and its ledger alone, on a clock that stands still.
class RequestLedgerTest : public ::testing::Test {
 protected:
  static constexpr IdentityKey kOwner{.collection = 1, .identity = 2};

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
    ledger.Keep(Answering<Deleted>(*ticket, fmt::format("answer {}", id)), Deleted{}, owner,
                change);
    ASSERT_THAT(ledger.Write(std::move(change)), IsOk());
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
  clock_.Advance(kRequestLifetime - std::chrono::microseconds(1));
  Make(ledger, clock_, 2);
  EXPECT_TRUE(Knows(ledger, 1)) << "it is exactly 24 hours old";
}

TEST_F(RequestLedgerTest, ForgetsOldRequestsWithLaterWrites) {
  RequestLedger ledger(*store_, clock_);
  for (uint64_t id = 1; id <= 10; ++id) Make(ledger, clock_, id);
  clock_.Advance(kRequestLifetime + std::chrono::seconds(1));
  EXPECT_TRUE(Knows(ledger, 1)) << "reading forgets nothing";
  Make(ledger, clock_, 11);
  EXPECT_FALSE(Knows(ledger, 1)) << "the oldest first";
  EXPECT_TRUE(Knows(ledger, 10)) << "a few at a time";
  for (uint64_t id = 12; id <= 20; ++id) Make(ledger, clock_, id);
  for (uint64_t id = 1; id <= 10; ++id) EXPECT_FALSE(Knows(ledger, id)) << id;
  for (uint64_t id = 11; id <= 20; ++id) EXPECT_TRUE(Knows(ledger, id)) << id;
  EXPECT_EQ(Stored(), 10u) << "they are out of the store, too";
  // One that was forgotten may be made again.
  Make(ledger, clock_, 1);
  EXPECT_TRUE(Knows(ledger, 1));
}

TEST_F(RequestLedgerTest, ForgetsTheOldestBeyondTheLimit) {
  constexpr size_t kMost = 5;
  RequestLedger ledger(*store_, clock_, kMost);
  for (uint64_t id = 1; id <= 30; ++id) {
    Make(ledger, clock_, id);
    EXPECT_LE(Stored(), kMost + 1);
    EXPECT_TRUE(Knows(ledger, id));
  }
  for (uint64_t id = 1; id <= 24; ++id) EXPECT_FALSE(Knows(ledger, id)) << id;
  for (uint64_t id = 26; id <= 30; ++id) EXPECT_TRUE(Knows(ledger, id)) << id;
}

TEST_F(RequestLedgerTest, LoadedRequestsAreForgottenInTheirOrder) {
  {
    RequestLedger ledger(*store_, clock_);
    for (uint64_t id = 10; id >= 1; --id) Make(ledger, clock_, id);
  }
  RequestLedger ledger(*store_, clock_, 5);
  ASSERT_THAT(store_->ReadRequests({}, std::nullopt,
                                   [&](const StoredRequest& stored) {
                                     return ledger.Load(stored.key, stored.create_time_us);
                                   }),
              IsOk());
  Make(ledger, clock_, 11);
  for (const uint64_t id : {10, 9, 8, 7}) EXPECT_FALSE(Knows(ledger, id)) << id;
  for (const uint64_t id : {6, 5, 4, 3, 2, 1, 11}) EXPECT_TRUE(Knows(ledger, id)) << id;
}

// What a call is at work on is not taken from under it.
TEST_F(RequestLedgerTest, ForgetsNothingThatIsAtWork) {
  RequestLedger ledger(*store_, clock_);
  Make(ledger, clock_, 1);
  Make(ledger, clock_, 2);
  clock_.Advance(kRequestLifetime + std::chrono::seconds(1));
  const auto held = ledger.Begin(IdOf(1), FingerprintOf('f'));
  ASSERT_THAT(held, IsOk());
  Make(ledger, clock_, 3);
  EXPECT_EQ(held->answer, "answer 1");
  EXPECT_EQ(Stored(), 2u);
  EXPECT_FALSE(Knows(ledger, 2));
}

TEST_F(RequestLedgerTest, KeepsWhatAFailedWriteWouldHaveForgotten) {
  auto inner = OpenTemplateStore({.directory = dir_.File("other")});
  ASSERT_THAT(inner, IsOk());
  FaultyStore store(*std::move(inner));
  ASSERT_THAT(store.ReserveUids(10), IsOk());
  RequestLedger ledger(store, clock_);
  Make(ledger, clock_, 1);
  clock_.Advance(kRequestLifetime + std::chrono::seconds(1));
  {
    const auto ticket = ledger.Begin(IdOf(2), FingerprintOf('f'));
    ASSERT_THAT(ticket, IsOk());
    StoreChange change;
    ledger.Keep(Answering<Deleted>(*ticket, "a"), Deleted{}, kOwner, change);
    store.FailNextWrite(Refuse(Reason::kStoreFull, "as told"));
    EXPECT_THAT(ledger.Write(std::move(change)), RefusedWith(Reason::kStoreFull));
  }
  EXPECT_TRUE(Knows(ledger, 1));
  EXPECT_FALSE(Knows(ledger, 2));
  Make(ledger, clock_, 3);
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
