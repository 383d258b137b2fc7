// Operating points by error rate, calibrations, and guards of enrolments, through the services.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>
#include <vector>

#include "face/decide/threshold.h"
#include "tests/server/rpc/service_fixture.h"
#include "tests/support/person_scores.h"
#include "tests/support/random_embedding.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class CalibrationTest : public ServiceTest {
 protected:
  static constexpr double kWantedFmr = 0.01;

  void CalibrateCard() {
    auto calibration = PersonScores(200, 1).Calibrate();
    FACEGATE_CHECK(calibration.ok());
    embedder_.mutable_card().calibration = *std::move(calibration);
  }
  double CardThreshold(const OperatingPoint& point, const DecisionScope& scope) const {
    const auto threshold = ThresholdFor(point, &*engine_.card().calibration, scope);
    FACEGATE_CHECK(threshold.ok());
    return threshold->min_cosine;
  }

  // Identities whose faces lie about a common one: at cosines of about 1 / (1 + spread²).
  void EnrolStrangers(int count, float spread, int first = 0) {
    for (int i = first; i < first + count; ++i) {
      const std::vector<NewTemplate> one{
          {.embedding = RandomEmbeddingNear(random_, common_, spread), .detector = "none"}};
      FACEGATE_CHECK(
          gallery_->Enrol("people", fmt::format("p{}", i), engine_.model(), one, {}).ok());
    }
  }

  StatusOr<v1::DecisionBasis> BasisOfVerify(const v1::OperatingPoint& point) {
    v1::VerifyRequest request;
    request.set_collection_id("people");
    request.set_identity_id("ada");
    *request.mutable_probe() = Crop(1);
    *request.mutable_operating_point() = point;
    v1::VerifyResponse response;
    FACEGATE_RETURN_IF_ERROR(faces_->Verify(call_, request, &response));
    return response.basis();
  }
  StatusOr<v1::GetCalibrationResponse> GetCalibration(
      v1::CalibrationChoice choice = v1::CALIBRATION_CHOICE_UNSPECIFIED) {
    v1::GetCalibrationRequest request;
    request.set_collection_id("people");
    request.set_calibration(choice);
    v1::GetCalibrationResponse response;
    FACEGATE_RETURN_IF_ERROR(galleries_->GetCalibration(call_, request, &response));
    return response;
  }
  static v1::OperatingPoint Fmr(double rate) {
    v1::OperatingPoint point;
    point.set_fmr(rate);
    return point;
  }

  std::mt19937_64 random_{14};
  Embedding common_ = RandomEmbedding(random_, FakeEmbedder::kEmbeddingSize);
};

TEST_F(CalibrationTest, AFalseMatchRateBecomesAThresholdWithItsClaim) {
  CalibrateCard();
  Enroll("ada", 1);
  const auto basis = BasisOfVerify(Fmr(kWantedFmr));
  ASSERT_THAT(basis, IsOk());
  EXPECT_EQ(basis->threshold(), static_cast<float>(CardThreshold(
                                    {.kind = OperatingPointKind::kFmr, .value = kWantedFmr}, {})));
  EXPECT_EQ(basis->source(), v1::OPERATING_POINT_SOURCE_REQUEST);
  EXPECT_EQ(basis->calibration_id(), engine_.card().calibration->id);
  EXPECT_EQ(basis->claimed().kind(), v1::ERROR_RATE_KIND_FMR);
  EXPECT_LT(basis->claimed().rate(), kWantedFmr);
  EXPECT_LE(basis->claimed().upper(), kWantedFmr);
  EXPECT_GT(basis->claimed().upper(), kWantedFmr / 2) << "the least threshold that holds";
  EXPECT_EQ(basis->claimed().confidence(), 0.95);
}

TEST_F(CalibrationTest, ASearchAccountsForTheSizeOfTheCollection) {
  CalibrateCard();
  EnrolStrangers(40, 4.0f);
  v1::IdentifyRequest request;
  request.set_collection_id("people");
  *request.mutable_probe() = Crop(1);
  request.mutable_operating_point()->set_fpir(0.1);
  v1::IdentifyResponse response;
  ASSERT_THAT(faces_->Identify(call_, request, &response), IsOk());
  const v1::DecisionBasis& basis = response.basis();
  EXPECT_EQ(basis.claimed().kind(), v1::ERROR_RATE_KIND_FPIR);
  EXPECT_EQ(basis.searched_templates(), 40u);
  EXPECT_LE(basis.claimed().upper(), 0.1);
  EXPECT_GT(basis.threshold(), CardThreshold({.kind = OperatingPointKind::kFmr, .value = 0.1}, {}));
}

TEST_F(CalibrationTest, TheDefaultThresholdTellsWhatItComesTo) {
  CalibrateCard();
  Enroll("ada", 1);
  v1::VerifyRequest request;
  request.set_collection_id("people");
  request.set_identity_id("ada");
  *request.mutable_probe() = Crop(1);
  v1::VerifyResponse response;
  ASSERT_THAT(faces_->Verify(call_, request, &response), IsOk());
  EXPECT_EQ(response.basis().threshold(), 0.5f);
  EXPECT_TRUE(response.basis().has_claimed());
  EXPECT_EQ(response.basis().calibration_id(), engine_.card().calibration->id);
}

TEST_F(CalibrationTest, WithoutACalibrationNoRateIsPromised) {
  Enroll("ada", 1);
  v1::OperatingPoint raw;
  raw.set_min_cosine(0.25f);
  const auto basis = BasisOfVerify(raw);
  ASSERT_THAT(basis, IsOk());
  EXPECT_FALSE(basis->has_claimed());
  EXPECT_THAT(basis->calibration_id(), IsEmpty());
  const auto refused = BasisOfVerify(Fmr(kWantedFmr));
  EXPECT_THAT(refused, RefusedWith(Reason::kCalibrationUnsupported));
  EXPECT_EQ(FieldOf(refused.status()), "operating_point");
}

TEST_F(CalibrationTest, ARateThatTheCountsDoNotSupportIsRefusedWithWhatIsNeeded) {
  CalibrateCard();
  Enroll("ada", 1);
  const auto refused = BasisOfVerify(Fmr(1e-7));
  EXPECT_THAT(refused, RefusedWith(Reason::kCalibrationUnsupported));
  EXPECT_THAT(std::string(MessageOf(refused.status())),
              HasSubstr("needs a calibration with 3e+07"));
}

TEST_F(CalibrationTest, RatesThatAreNoneAreRefused) {
  CalibrateCard();
  Enroll("ada", 1);
  for (const double bad : {0.0, 1.0, -0.1, std::numeric_limits<double>::quiet_NaN(),
                           std::numeric_limits<double>::infinity()}) {
    EXPECT_THAT(BasisOfVerify(Fmr(bad)), RefusedWith(Reason::kInvalidField)) << bad;
  }
  v1::OperatingPoint unknown = Fmr(kWantedFmr);
  unknown.set_calibration(static_cast<v1::CalibrationChoice>(77));
  const auto refused = BasisOfVerify(unknown);
  EXPECT_THAT(refused, RefusedWith(Reason::kInvalidField));
  EXPECT_EQ(FieldOf(refused.status()), "operating_point.calibration");
}

TEST_F(CalibrationTest, ACollectionCalibratesItself) {
  Enroll("ada", 1);
  EnrolStrangers(60, 2.0f);
  const auto own = GetCalibration();
  ASSERT_THAT(own, IsOk());
  EXPECT_EQ(own->people(), 61u);
  EXPECT_EQ(own->impostor_pairs(), 61u * 60 / 2);
  EXPECT_EQ(own->searched_templates(), 61u);
  EXPECT_GT(own->rows_size(), 5);
  EXPECT_EQ(own->rows(own->rows_size() - 1).fmr().rate(), 0.0);
  EXPECT_EQ(own->default_row().threshold(), 0.5f);
  v1::OperatingPoint point = Fmr(0.1);
  point.set_calibration(v1::CALIBRATION_CHOICE_COLLECTION);
  const auto basis = BasisOfVerify(point);
  ASSERT_THAT(basis, IsOk());
  EXPECT_EQ(basis->calibration_id(), own->calibration_id());
  EXPECT_LE(basis->claimed().upper(), 0.1);
}

// The point is what does not hold; the message says in which of the collections.
TEST_F(CalibrationTest, ASearchNamesTheCollectionThatCannotCalibrateItself) {
  EnrolStrangers(60, 2.0f);
  CreateCollection("few", engine_.model(), 0.5f);
  v1::IdentifyRequest request;
  request.set_collection_id("people");
  *request.mutable_probe() = Crop(1);
  *request.mutable_operating_point() = Fmr(0.1);
  request.mutable_operating_point()->set_calibration(v1::CALIBRATION_CHOICE_COLLECTION);
  v1::IdentifyResponse response;
  ASSERT_THAT(faces_->Identify(call_, request, &response), IsOk());
  request.add_more_collection_ids("few");
  const Status refused = faces_->Identify(call_, request, &response);
  EXPECT_THAT(refused, RefusedWith(Reason::kCalibrationUnsupported));
  EXPECT_EQ(FieldOf(refused), "operating_point.calibration");
  EXPECT_THAT(std::string(MessageOf(refused)), HasSubstr("more_collection_ids[0]"));
}

TEST_F(CalibrationTest, ACollectionOfFewCannotCalibrateItself) {
  EnrolStrangers(static_cast<int>(Calibration::kLeastPeople) - 1, 2.0f);
  const auto refused = GetCalibration();
  EXPECT_THAT(refused, RefusedWith(Reason::kCalibrationUnsupported));
  EXPECT_THAT(std::string(MessageOf(refused.status())), HasSubstr("needs 20"));
}

TEST_F(CalibrationTest, ACalibrationIsMadeAgainWhenTheCollectionHasGrown) {
  EnrolStrangers(50, 2.0f);
  const std::string first = GetCalibration()->calibration_id();
  EnrolStrangers(4, 2.0f, 50);
  EXPECT_EQ(GetCalibration()->calibration_id(), first) << "less than a tenth";
  EnrolStrangers(1, 2.0f, 54);
  EXPECT_NE(GetCalibration()->calibration_id(), first);
}

TEST_F(CalibrationTest, AnotherCollectionOfTheSameIdIsCalibratedAnew) {
  EnrolStrangers(30, 2.0f);
  const std::string first = GetCalibration()->calibration_id();
  ASSERT_THAT(gallery_->DeleteCollection("people", true), IsOk());
  clock_.Advance(std::chrono::seconds(1));
  CreateCollection("people", engine_.model(), 0.5f);
  EnrolStrangers(30, 2.0f);
  EXPECT_NE(GetCalibration()->calibration_id(), first);
}

TEST_F(CalibrationTest, WarnsWhereStrangersMatchMoreOftenThanTheCardSays) {
  CalibrateCard();
  EnrolStrangers(60, 0.5f);
  const auto own = GetCalibration();
  ASSERT_THAT(own, IsOk());
  EXPECT_GT(own->default_row().fmr().lower(), own->model_card_fmr().upper());
  ASSERT_EQ(own->warnings_size(), 1);
  EXPECT_THAT(own->warnings(0), HasSubstr("raise the collection's threshold"));
}

TEST_F(CalibrationTest, TheModelCardsCalibrationIsShown) {
  EXPECT_THAT(GetCalibration(v1::CALIBRATION_CHOICE_MODEL_CARD),
              RefusedWith(Reason::kCalibrationUnsupported));
  CalibrateCard();
  const auto card = GetCalibration(v1::CALIBRATION_CHOICE_MODEL_CARD);
  ASSERT_THAT(card, IsOk());
  EXPECT_EQ(card->calibration_id(), engine_.card().calibration->id);
  EXPECT_EQ(card->people(), 200u);
}

TEST_F(CalibrationTest, TwoFacesHaveNoCollectionToCalibrate) {
  CalibrateCard();
  v1::CompareRequest request;
  *request.mutable_first() = Crop(1);
  *request.mutable_second() = Crop(2);
  *request.mutable_operating_point() = Fmr(kWantedFmr);
  v1::CompareResponse response;
  EXPECT_THAT(faces_->Compare(call_, request, &response), IsOk());
  EXPECT_TRUE(response.basis().has_claimed());
  request.mutable_operating_point()->set_calibration(v1::CALIBRATION_CHOICE_COLLECTION);
  EXPECT_THAT(faces_->Compare(call_, request, &response), RefusedWith(Reason::kInvalidField));
}

class GuardedCollectionTest : public CalibrationTest {
 protected:
  void Guard(const std::string& path, double rate) {
    v1::UpdateCollectionRequest request;
    request.set_collection_id("people");
    request.mutable_update_mask()->add_paths(path);
    request.mutable_collection()->set_identity_match_fmr(rate);
    request.mutable_collection()->set_duplicate_fmr(rate);
    v1::UpdateCollectionResponse response;
    ASSERT_THAT(galleries_->UpdateCollection(call_, request, &response), IsOk());
  }
  Status TryToEnroll(const std::string& identity, const std::vector<uint64_t>& seeds) {
    v1::EnrollRequest request;
    request.set_collection_id("people");
    request.set_identity_id(identity);
    for (const uint64_t seed : seeds) *request.add_samples() = Crop(seed);
    v1::EnrollResponse response;
    return faces_->Enroll(call_, request, &response);
  }
};

TEST_F(GuardedCollectionTest, AFaceThatIsSomebodyElsesIsRefusedByName) {
  CalibrateCard();
  Guard("duplicate_fmr", kWantedFmr);
  ASSERT_THAT(TryToEnroll("ada", {1}), IsOk());
  const Status refused = TryToEnroll("bob", {2, 1});
  EXPECT_THAT(refused, RefusedWith(Reason::kDuplicateFace));
  EXPECT_EQ(FieldOf(refused), "samples[1]");
  EXPECT_THAT(MetadataOf(refused), UnorderedElementsAre(Pair("identity_id", "ada")));
  EXPECT_THAT(std::string(MessageOf(refused)), ::testing::Not(HasSubstr("ada")));
}

TEST_F(GuardedCollectionTest, AFaceUnlikeTheIdentitysOthersIsRefused) {
  CalibrateCard();
  Guard("identity_match_fmr", kWantedFmr);
  ASSERT_THAT(TryToEnroll("ada", {1, 1}), IsOk());
  const Status refused = TryToEnroll("ada", {1, 2});
  EXPECT_THAT(refused, RefusedWith(Reason::kIdentityMismatch));
  EXPECT_EQ(FieldOf(refused), "samples[1]");
}

TEST_F(GuardedCollectionTest, AGuardNeedsACalibration) {
  Guard("duplicate_fmr", kWantedFmr);
  const Status refused = TryToEnroll("ada", {1});
  EXPECT_THAT(refused, RefusedWith(Reason::kCalibrationUnsupported));
  EXPECT_THAT(std::string(MessageOf(refused)), HasSubstr("duplicate_fmr"));
}

TEST_F(GuardedCollectionTest, ACalibrationSaysThatItIsOfSinglePhotos) {
  CalibrateCard();
  v1::GetCalibrationRequest request;
  request.set_collection_id("people");
  request.set_calibration(v1::CALIBRATION_CHOICE_MODEL_CARD);
  v1::GetCalibrationResponse plain;
  ASSERT_THAT(galleries_->GetCalibration(call_, request, &plain), IsOk());
  ASSERT_THAT(
      gallery_->UpdateCollection("people", {.fusion = Fusion::kMeanTemplate, .cohort = true}, ""),
      IsOk());
  v1::GetCalibrationResponse fused;
  ASSERT_THAT(galleries_->GetCalibration(call_, request, &fused), IsOk());
  EXPECT_EQ(fused.warnings_size(), plain.warnings_size() + 2);
}

TEST_F(GuardedCollectionTest, GuardsAreSettingsOfTheCollection) {
  Guard("duplicate_fmr", 0.25);
  v1::GetCollectionRequest request;
  request.set_collection_id("people");
  v1::GetCollectionResponse response;
  ASSERT_THAT(galleries_->GetCollection(call_, request, &response), IsOk());
  EXPECT_EQ(response.collection().duplicate_fmr(), 0.25);
  EXPECT_FALSE(response.collection().has_identity_match_fmr()) << "it was not named";
}

}  // namespace
}  // namespace facegate
