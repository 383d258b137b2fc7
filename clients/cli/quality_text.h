#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "facegate/v1/types.pb.h"

// The quality of faces in words that a person before a camera can follow.
namespace facegate::cli {

// "come closer: 7.1 px between the eyes, 12 wanted".
std::string DescribeShortcoming(const v1::QualityShortcoming& shortcoming);
// One line for each shortcoming of the face, after `subject` and a colon; one that says so where it
// was not compared for another reason.
std::vector<std::string> ShortcomingLines(std::string_view subject, const v1::Face& face);
// "under exposure 0.22": the component with the least quality; "-" where nothing was measured.
std::string DescribeWorstComponent(const v1::Face& face);
// A quality with 2 digits.
std::string FormatQuality(float quality);

}  // namespace facegate::cli
