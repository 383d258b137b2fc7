#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/index/local/gallery_fixture.h"

namespace facegate {

inline RequestId NumberedRequest(uint64_t number) {
  RequestId id;
  for (size_t i = 0; i < sizeof number; ++i) {
    id.bytes[i] = static_cast<uint8_t>(number >> (8 * i));
  }
  id.bytes.back() = 0xff;
  return id;
}

inline std::string FingerprintOf(char c) { return std::string(kFingerprintBytes, c); }

// A receipt of any kind of change, which answers `text`.
template <typename Result>
Receipt<Result> Answering(const RequestTicket& ticket, const std::string& text) {
  return {.ticket = &ticket, .answer = [text](const Result&) { return text; }};
}

// A gallery and writes with request ids in its collection "people".
class RequestsTest : public GalleryTest {
 protected:
  StatusOr<RequestTicket> Begin(uint64_t id, char fingerprint = 'f') {
    return gallery_->BeginRequest(NumberedRequest(id), FingerprintOf(fingerprint));
  }
  // Returns what the request answered; nothing, when it is new.
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

}  // namespace facegate
