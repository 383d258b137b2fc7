// Refusals that several methods share, with their reasons and the fields that they name.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/server/rpc/refusal_fixture.h"

namespace facegate {
namespace {

TEST_F(RefusalTest, WhatTheRowsSpoilIsRightBefore) {
  EXPECT_THAT(EnrollWith([](auto&) {})(), IsOk());
  EXPECT_THAT(VerifyWith([](auto&) {})(), IsOk());
  EXPECT_THAT(IdentifyWith([](auto&) {})(), IsOk());
  EXPECT_THAT(EmbedWith([](auto&) {})(), IsOk());
  EXPECT_THAT(DetectWith([](auto&) {})(), IsOk());
  EXPECT_THAT(CompareWith([](auto&) {})(), IsOk());
  EXPECT_THAT(UpdateWith([](auto&) {})(), IsOk());
  EXPECT_THAT(RenameWith([](auto&) {})(), IsOk());
  EXPECT_THAT(MergeWith([](auto&) {})(), IsOk());
  EXPECT_THAT(DeleteWith([](auto&) {})(), IsOk());
  EXPECT_THAT(CreateWith([](auto&) {})(), IsOk());
  EXPECT_THAT(DropWith([](auto&) {})(), IsOk());
}

TEST_F(RefusalTest, OfRequestIdsThatAreNone) {
  for (const char* const bad :
       {"1", "01234567-89ab-cdef-8081-f2f3f4f5f6f", "01234567-89ab-cdef-8081-f2f3f4f5f6f70",
        "0123456789abcdef8081f2f3f4f5f6f7----", "{1234567-89ab-cdef-8081-f2f3f4f5f6f}",
        "00000000-0000-0000-0000-000000000000"}) {
    const auto spoil = [bad](auto& r) { r.set_request_id(bad); };
    Check({
        {"enroll", EnrollWith(spoil), Reason::kInvalidField, "request_id"},
        {"update", UpdateWith(spoil), Reason::kInvalidField, "request_id"},
        {"rename", RenameWith(spoil), Reason::kInvalidField, "request_id"},
        {"merge", MergeWith(spoil), Reason::kInvalidField, "request_id"},
        {"delete", DeleteWith(spoil), Reason::kInvalidField, "request_id"},
        {"delete template", DeleteTemplateWith(spoil), Reason::kInvalidField, "request_id"},
        {"create collection", CreateWith(spoil), Reason::kInvalidField, "request_id"},
        {"delete collection", DropWith(spoil), Reason::kInvalidField, "request_id"},
    });
  }
}

TEST_F(RefusalTest, OfRequestIdsThatWereUsed) {
  const auto spoil = [](auto& r) { r.set_request_id("01234567-89ab-cdef-8081-f2f3f4f5f6f7"); };
  ASSERT_THAT(UpdateWith(spoil)(), IsOk());
  Check({
      {"update", UpdateWith([&](auto& r) {
         spoil(r);
         r.mutable_identity()->set_etag("x");
       }),
       Reason::kRequestIdReused, ""},
      {"enroll", EnrollWith(spoil), Reason::kRequestIdReused, ""},
      {"rename", RenameWith(spoil), Reason::kRequestIdReused, ""},
      {"merge", MergeWith(spoil), Reason::kRequestIdReused, ""},
      {"delete", DeleteWith(spoil), Reason::kRequestIdReused, ""},
      {"delete template", DeleteTemplateWith(spoil), Reason::kRequestIdReused, ""},
      {"create collection", CreateWith(spoil), Reason::kRequestIdReused, ""},
      {"delete collection", DropWith(spoil), Reason::kRequestIdReused, ""},
  });
}

TEST_F(RefusalTest, OfIds) {
  Check({
      {"no collection", EnrollWith([](auto& r) { r.clear_collection_id(); }), Reason::kInvalidField,
       "collection_id"},
      {"bad collection", EnrollWith([](auto& r) { r.set_collection_id("a/b"); }),
       Reason::kInvalidField, "collection_id"},
      {"no identity", EnrollWith([](auto& r) { r.clear_identity_id(); }), Reason::kInvalidField,
       "identity_id"},
      {"long identity", EnrollWith([](auto& r) { r.set_identity_id(std::string(129, 'a')); }),
       Reason::kInvalidField, "identity_id"},
      {"verify: bad collection", VerifyWith([](auto& r) { r.set_collection_id(".."); }),
       Reason::kInvalidField, "collection_id"},
      {"verify: bad identity", VerifyWith([](auto& r) { r.set_identity_id("ä"); }),
       Reason::kInvalidField, "identity_id"},
      {"identify: bad collection", IdentifyWith([](auto& r) { r.set_collection_id(" "); }),
       Reason::kInvalidField, "collection_id"},
      {"enroll: unknown collection", EnrollWith([](auto& r) { r.set_collection_id("nowhere"); }),
       Reason::kCollectionNotFound, ""},
      {"verify: unknown collection", VerifyWith([](auto& r) { r.set_collection_id("nowhere"); }),
       Reason::kCollectionNotFound, ""},
      {"verify: unknown identity", VerifyWith([](auto& r) { r.set_identity_id("nobody"); }),
       Reason::kIdentityNotFound, ""},
      {"identify: unknown collection",
       IdentifyWith([](auto& r) { r.set_collection_id("nowhere"); }), Reason::kCollectionNotFound,
       ""},
      {"identity exists", EnrollWith([](auto& r) {
         r.set_identity_id("7");
         r.set_must_be_new(true);
       }),
       Reason::kIdentityExists, ""},
  });
}

TEST_F(RefusalTest, OfFurtherCollections) {
  const auto identify = [this](std::initializer_list<const char*> more) {
    return IdentifyWith([&](auto& r) {
      for (const char* id : more) r.add_more_collection_ids(id);
    });
  };
  CreateCollection("second", engine_.model(), 0.5f);
  EXPECT_THAT(identify({"second"})(), IsOk());
  Check({
      {"empty", identify({"second", ""}), Reason::kInvalidField, "more_collection_ids[1]"},
      {"bad", identify({"a/b"}), Reason::kInvalidField, "more_collection_ids[0]"},
      {"the first again", identify({"second", "people"}), Reason::kInvalidField,
       "more_collection_ids[1]"},
      {"a further one again", identify({"second", "second"}), Reason::kInvalidField,
       "more_collection_ids[1]"},
      {"sixteen", IdentifyWith([](auto& r) {
         for (int i = 0; i < 16; ++i) r.add_more_collection_ids("c" + std::to_string(i));
       }),
       Reason::kInvalidField, "more_collection_ids"},
      {"unknown", identify({"second", "nowhere"}), Reason::kCollectionNotFound,
       "more_collection_ids[1]"},
      {"of another model", identify({"other-model"}), Reason::kModelMismatch,
       "more_collection_ids[0]"},
      {"without a threshold", identify({"no-threshold"}), Reason::kNoOperatingPoint,
       "more_collection_ids[0]"},
  });
}

TEST_F(RefusalTest, OfCounts) {
  Check({
      {"no samples", EnrollWith([](auto& r) { r.clear_samples(); }), Reason::kInvalidField,
       "samples"},
      {"too many samples", EnrollWith([](auto& r) {
         while (r.samples_size() < 5) *r.add_samples() = r.samples(0);
       }),
       Reason::kInvalidField, "samples"},
      {"too many candidates", IdentifyWith([](auto& r) { r.set_max_candidates(11); }),
       Reason::kInvalidField, "max_candidates"},
  });
}

TEST_F(RefusalTest, OfCollectionsOfAnotherModel) {
  Check({
      {"enroll", EnrollWith([](auto& r) { r.set_collection_id("other-model"); }),
       Reason::kModelMismatch, ""},
      {"verify", VerifyWith([](auto& r) { r.set_collection_id("other-model"); }),
       Reason::kModelMismatch, ""},
      {"identify", IdentifyWith([](auto& r) { r.set_collection_id("other-model"); }),
       Reason::kModelMismatch, ""},
  });
  const Status status = EnrollWith([](auto& r) { r.set_collection_id("other-model"); })();
  EXPECT_THAT(std::string(MessageOf(status)), ::testing::HasSubstr(OtherModel().model_digest));
  EXPECT_THAT(std::string(MessageOf(status)), ::testing::HasSubstr(engine_.model().model_digest));
}

TEST_F(RefusalTest, WhenTheModelFailsOrIsFullOrTheTimeIsOver) {
  embedder_.FailWith(Internal("broken"));
  EXPECT_THAT(VerifyWith([](auto&) {})(), StatusIs(StatusCode::kInternal));
  batcher_.Stop();
  EXPECT_THAT(VerifyWith([](auto&) {})(), RefusedWith(Reason::kShuttingDown));
  call_.caller.deadline = clock_.Now();
  EXPECT_THAT(VerifyWith([](auto&) {})(), RefusedWith(Reason::kDeadline));
}

TEST_F(RefusalTest, NamesNoIds) {
  for (const auto& run :
       {VerifyWith([](auto& r) { r.set_identity_id("Jane-Doe"); }),
        VerifyWith([](auto& r) { r.set_collection_id("Jane-Doe"); }),
        VerifyWith([](auto& r) { r.set_identity_id("Jane-Doe/"); }), VerifyWith([](auto& r) {
          *r.mutable_probe() = Stored("collections/people/identities/Jane-Doe/templates/1");
        })}) {
    const Status status = run();
    EXPECT_FALSE(status.ok());
    EXPECT_THAT(std::string(MessageOf(status)), ::testing::Not(::testing::HasSubstr("Jane")));
  }
}

}  // namespace
}  // namespace facegate
