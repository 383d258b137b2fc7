#include "trainer/report/quality_section.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace facegate::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

QualityFigures SomeQualityFigures() {
  QualityFigures figures{.measured = true};
  figures.acquisition = {.limits = {.enrol = 0.5, .probe = 0.4},
                         .enrol = {.counts = {.usable = 90, .below_quality = 8, .no_face = 2},
                                   .failures = {0.1, 0.03, 0.18}},
                         .probe = {.counts = {.usable = 95, .below_quality = 3, .no_face = 2},
                                   .failures = {0.05, 0.01, 0.09}}};
  ErrorDiscardCurve curve{.far = 0.01, .threshold = 0.4321, .points = {}, .relative_area = 0.75};
  curve.points = {
      {.discarded = 0.0, .rates = {.genuine = 50, .impostor = 50, .fnmr = {0.1, 0.05, 0.15}}},
      {.discarded = 0.1, .rates = {.genuine = 40, .impostor = 45, .fnmr = {0.04, 0.0, 0.09}}}};
  figures.discards.push_back(curve);
  figures.strangers.push_back({.degradation = "blur-4<", .gated = {.match = 1, .no_match = 99}});
  figures.group_fars = {0.01};
  figures.group_thresholds = {0.4321};
  figures.groups.push_back({.name = "north & south", .photos = 10, .people = 5, .rates = {{}}});
  figures.groups.back().acquisition.enrol.failures = {0.2, 0.11, 0.37};
  return figures;
}

TEST(QualitySectionTest, ShowsFailuresCurvesStrangersAndGroups) {
  const std::string section = QualitySection(SomeQualityFigures());
  EXPECT_THAT(section, HasSubstr("10.00 % (3.00 to 18.00): 8 below quality 0.5, 2 without a face"));
  EXPECT_THAT(section, HasSubstr("<svg"));
  EXPECT_THAT(section, HasSubstr("0.75 of what it is without leaving out"));
  EXPECT_THAT(section, HasSubstr("4.00 % <small>[0.00 to 9.00]"));
  EXPECT_THAT(section, HasSubstr("blur-4&lt;"));
  EXPECT_THAT(section, HasSubstr("north &amp; south"));
  EXPECT_THAT(section, HasSubstr("20.00 % <small>[11.00 to 37.00]"));
}

TEST(QualitySectionTest, HasNoPlaceForWhatWasNotAskedFor) {
  const std::string section = QualitySection({});
  EXPECT_THAT(section, HasSubstr("failure to acquire"));
  EXPECT_THAT(section, Not(HasSubstr("Groups")));
  EXPECT_THAT(section, Not(HasSubstr("Strangers")));
  EXPECT_THAT(section, Not(HasSubstr("<svg")));
}

}  // namespace
}  // namespace facegate::report
