// Writes with a request id: made once and answered alike, also by many callers and a faulty store.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <thread>

#include "tests/index/local/requests_fixture.h"
#include "tests/support/faulty_store.h"

namespace facegate {
namespace {

using namespace std::chrono_literals;

TEST_F(RequestsTest, GivesTheAnswerAgainAlsoAfterReopening) {
  EXPECT_EQ(AnswerOf(1), std::nullopt);
  EXPECT_EQ(AnswerOf(1), std::nullopt) << "asking alone makes nothing";
  const std::string answer("\0any\xff bytes", 11);
  EnrolAs(1, "jane", answer);
  NowAndLater([&] {
    EXPECT_EQ(AnswerOf(1), answer);
    EXPECT_EQ(AnswerOf(2), std::nullopt);
    EXPECT_EQ(gallery_->Stats()->templates, 1u);
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
  // It is not forgotten that the id was used, also when what it wrote is gone.
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
  // The answer is the same when there is another collection of that id.
  ASSERT_THAT(gallery_->CreateCollection("people", TestModel(), kSize, {}), IsOk());
  NowAndLater([&] {
    EXPECT_THAT(Begin(2), RefusedWith(Reason::kCollectionNotFound));
    EXPECT_EQ(AnswerOf(4), "collection deleted");
  });
}

// These use the machine's clock, and writes of any length.
class RequestRacesTest : public RequestsTest {
 protected:
  static constexpr int kCallers = 50;

  // A client does so: it asks again while another call is at work.
  static StatusOr<RequestTicket> BeginInTurn(Journal& gallery, uint64_t id) {
    auto ticket = gallery.BeginRequest(NumberedRequest(id), FingerprintOf('f'));
    while (ReasonOf(ticket.status()) == Reason::kRequestInProgress) {
      std::this_thread::yield();
      ticket = gallery.BeginRequest(NumberedRequest(id), FingerprintOf('f'));
    }
    return ticket;
  }
  // Enrols under request 1 if it was not made yet; the answer either way.
  static StatusOr<std::string> EnrolOnce(GalleryBackend& gallery, std::atomic<int>& made,
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
  std::vector<StatusOr<std::string>> EnrolFromAll(GalleryBackend& gallery, std::atomic<int>& made) {
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
  EXPECT_EQ(gallery_->Stats()->templates, 1u);
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
  EXPECT_EQ(gallery_->Stats()->templates, 1u);
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

// The store fails and stops when told to.
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
  EXPECT_EQ(gallery_->Stats()->templates, 1u);
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

// The record lies one step up already in the store, and still below the source in memory.
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

}  // namespace
}  // namespace facegate
