// Whom a face may be enrolled as: the guards of Gallery::Enrol().

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "index/local/pending_faces.h"
#include "tests/index/local/gallery_fixture.h"
#include "tests/support/random_embedding.h"

namespace facegate {
namespace {

constexpr float kSameFace = 0.6f;
constexpr float kOnePerson = 0.5f;  // spread of a person's faces: cosines of about 0.8

class EnrolmentGuardTest : public GalleryTest {
 protected:
  static EnrolOptions Consistent() { return {.consistent_from = kSameFace}; }
  static EnrolOptions Unique() { return {.unique_from = kSameFace}; }

  Embedding FaceOf(const Embedding& person) {
    return RandomEmbeddingNear(random_, person, kOnePerson);
  }
  Status EnrolFaces(const std::string& identity, const std::vector<Embedding>& faces,
                    const EnrolOptions& options) {
    std::vector<NewTemplate> templates;
    for (const Embedding& face : faces) templates.push_back(TemplateOf(face));
    return gallery_->Enrol("people", identity, TestModel(), templates, options).status();
  }
};

TEST_F(EnrolmentGuardTest, TakesAFaceLikeTheOthersOfTheIdentity) {
  const Embedding jane = Random();
  EXPECT_THAT(EnrolFaces("jane", {FaceOf(jane)}, Consistent()), IsOk()) << "the first of all";
  EXPECT_THAT(EnrolFaces("jane", {FaceOf(jane)}, Consistent()), IsOk());
}

TEST_F(EnrolmentGuardTest, RefusesAFaceUnlikeTheOthersOfTheIdentity) {
  const Embedding jane = Random();
  ASSERT_THAT(EnrolFaces("jane", {FaceOf(jane)}, Consistent()), IsOk());
  const Status refused = EnrolFaces("jane", {FaceOf(jane), Random()}, Consistent());
  EXPECT_THAT(refused, RefusedWith(Reason::kIdentityMismatch));
  EXPECT_EQ(FieldOf(refused), "[1]");
  EXPECT_EQ(gallery_->GetIdentity("people", "jane")->template_count, 1u) << "all or none";
}

TEST_F(EnrolmentGuardTest, ComparesTheFacesOfANewIdentityWithEachOther) {
  const Embedding jane = Random();
  EXPECT_THAT(EnrolFaces("jane", {FaceOf(jane), FaceOf(jane), Random()}, Consistent()),
              RefusedWith(Reason::kIdentityMismatch));
  EXPECT_THAT(gallery_->GetIdentity("people", "jane"), RefusedWith(Reason::kIdentityNotFound));
  EXPECT_THAT(EnrolFaces("jane", {FaceOf(jane), FaceOf(jane)}, Consistent()), IsOk());
}

// The template that is left decides, not the one that was deleted.
TEST_F(EnrolmentGuardTest, TakesAnyFaceOnceTheIdentityHasNoTemplates) {
  ASSERT_THAT(EnrolFaces("jane", {Random()}, Consistent()), IsOk());
  const auto templates = gallery_->ListTemplates("people", "jane", 0, 9);
  ASSERT_THAT(gallery_->DeleteTemplate("people", "jane", templates->front().id), IsOk());
  EXPECT_THAT(EnrolFaces("jane", {Random()}, Consistent()), IsOk());
}

TEST_F(EnrolmentGuardTest, RefusesAFaceThatIsAnotherIdentitys) {
  const Embedding jane = Random();
  ASSERT_THAT(EnrolFaces("jane", {FaceOf(jane)}, Unique()), IsOk());
  const Status refused = EnrolFaces("john", {Random(), FaceOf(jane)}, Unique());
  EXPECT_THAT(refused, RefusedWith(Reason::kDuplicateFace));
  EXPECT_EQ(FieldOf(refused), "[1]");
  EXPECT_THAT(gallery_->GetIdentity("people", "john"), RefusedWith(Reason::kIdentityNotFound));
}

TEST_F(EnrolmentGuardTest, TakesAFaceThatIsTheIdentitysOwn) {
  const Embedding jane = Random();
  ASSERT_THAT(EnrolFaces("jane", {FaceOf(jane)}, Unique()), IsOk());
  EXPECT_THAT(EnrolFaces("jane", {FaceOf(jane)}, Unique()), IsOk());
}

// The identity's own templates are nearest, the other's come after all of them.
TEST_F(EnrolmentGuardTest, SeesTheOtherBehindTheIdentitysOwn) {
  const Embedding jane = Random();
  ASSERT_THAT(EnrolFaces("john", {FaceOf(jane)}, {}), IsOk());
  ASSERT_THAT(EnrolFaces("jane", {jane, jane, jane}, {}), IsOk());
  EXPECT_THAT(EnrolFaces("jane", {jane}, Unique()), RefusedWith(Reason::kDuplicateFace));
}

TEST_F(EnrolmentGuardTest, TakesAFaceAgainAfterTheOtherWasDeleted) {
  const Embedding jane = Random();
  ASSERT_THAT(EnrolFaces("jane", {FaceOf(jane)}, Unique()), IsOk());
  ASSERT_THAT(gallery_->DeleteIdentity("people", "jane"), IsOk());
  EXPECT_THAT(EnrolFaces("john", {FaceOf(jane)}, Unique()), IsOk());
}

TEST_F(EnrolmentGuardTest, EndsItsSearchesWhenNobodyWaits) {
  ASSERT_THAT(EnrolFaces("jane", {Random()}, {}), IsOk());
  const std::vector<NewTemplate> face{TemplateOf(Random())};
  int asked = 0;
  const auto stop = [&] {
    return ++asked < 3 ? OkStatus() : Refuse(Reason::kDeadline, "the deadline has passed");
  };
  EXPECT_THAT(gallery_->Enrol("people", "john", TestModel(), face, Unique(), {}, stop),
              RefusedWith(Reason::kDeadline));
  EXPECT_THAT(gallery_->GetIdentity("people", "john"), RefusedWith(Reason::kIdentityNotFound));
}

TEST(PendingFacesTest, EndsItsWaitWhenNobodyWaitsForIt) {
  std::mt19937_64 random(1);
  const std::vector<NewTemplate> face{TemplateOf(RandomEmbedding(random, 8))};
  PendingFaces faces;
  const PendingFaces::Place first = faces.Enter("jane", face);
  int asked = 0;
  const auto second = faces.Enter("john", face, kSameFace, [&] {
    return ++asked < 3 ? OkStatus() : Refuse(Reason::kDeadline, "the deadline has passed");
  });
  EXPECT_THAT(second.status(), RefusedWith(Reason::kDeadline));
  EXPECT_THAT(faces.Enter("jane", face, kSameFace, {}), IsOk()) << "its own are no others";
}

// Writers that begin together, with one face as two identities each time.
TEST_F(EnrolmentGuardTest, OfWritersOfOneFaceOneSucceeds) {
  constexpr float kThisVeryFace = 0.999f;  // many faces in few dimensions come near each other
  for (int round = 0; round < 200; ++round) {
    const Embedding face = Random();
    std::atomic<int> taken = 0;
    std::atomic<int> refused = 0;
    InParallel([&](int thread) {
      const std::vector<NewTemplate> one{TemplateOf(face)};
      const Status status = gallery_
                                ->Enrol("people", fmt::format("r{}-{}", round, thread % 2),
                                        TestModel(), one, {.unique_from = kThisVeryFace})
                                .status();
      if (status.ok()) ++taken;
      if (ReasonOf(status) == Reason::kDuplicateFace) ++refused;
    });
    ASSERT_EQ(taken, kThreads / 2) << "all calls of the identity that came first";
    ASSERT_EQ(refused, kThreads / 2);
  }
}

}  // namespace
}  // namespace facegate
