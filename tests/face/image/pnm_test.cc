#include "face/image/pnm.h"

#include <gmock/gmock.h>

#include <opencv2/core.hpp>
#include <string>

#include "face/image/mat_pixels.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

StatusOr<cv::Mat> MapOf(const std::string& encoded) {
  FACEGATE_ASSIGN_OR_RETURN(const ImageHeader header, ParsePnmHeader(encoded));
  cv::Mat bgr(header.height, header.width, CV_8UC3);
  FACEGATE_RETURN_IF_ERROR(DecodePnm(encoded, {}, RowsOf(bgr)));
  return bgr;
}

void ExpectGreys(const std::string& encoded, const std::vector<int>& greys) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const cv::Mat bgr, MapOf(encoded));
  ASSERT_EQ(bgr.total(), greys.size());
  for (size_t i = 0; i < greys.size(); ++i) {
    const auto column = static_cast<int>(i) % bgr.cols;
    const cv::Vec3b pixel = bgr.at<cv::Vec3b>(static_cast<int>(i) / bgr.cols, column);
    EXPECT_EQ(pixel, cv::Vec3b::all(static_cast<uint8_t>(greys[i]))) << "pixel " << i;
  }
}

TEST(PnmTest, ReadsBinaryAndTextGreys) {
  ExpectGreys("P5 2 2 255\n" + std::string("\x00\x01\xfe\xff", 4), {0, 1, 254, 255});
  ExpectGreys("P2\n2 2\n255\n0 1\n254 255", {0, 1, 254, 255});
}

TEST(PnmTest, SkipsCommentsAndAnyWhiteSpace) {
  ExpectGreys("P5#a\n# b 7 7\r\n\t2 #c\n1\n#d\n255 " + std::string("\x0a#", 2), {10, '#'});
  ExpectGreys("P2 1 2 9 # the samples\n 9\n#\n 0", {255, 0});
}

TEST(PnmTest, ScalesTheLargestValueTo255) {
  ExpectGreys("P2 3 1 15 0 7 15", {0, 119, 255});
  ExpectGreys("P5 2 1 1023\n" + std::string("\x02\x00\x03\xff", 4), {128, 255});
  ExpectGreys("P5 2 1 65535\n" + std::string("\x80\x80\xff\xff", 4), {128, 255});
}

TEST(PnmTest, TakesSamplesAboveTheLargestValueAsThatValue) { ExpectGreys("P2 1 1 9 12", {255}); }

TEST(PnmTest, ReadsColoursAsBgr) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const cv::Mat binary, MapOf("P6 1 1 255\nRGB"));
  EXPECT_EQ(binary.at<cv::Vec3b>(0, 0), cv::Vec3b('B', 'G', 'R'));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const cv::Mat text, MapOf("P3 1 1 255 1 2 3"));
  EXPECT_EQ(text.at<cv::Vec3b>(0, 0), cv::Vec3b(3, 2, 1));
}

TEST(PnmTest, RefusesBrokenHeadersAndMissingSamples) {
  for (const char* broken :
       {"P5 ", "P5 2", "P5 2 2", "P5 2 2 255", "P5 0 2 255\nabcd", "P5 2 2 0\nabcd",
        "P5 2 2 65536\nabcdefgh", "P5 -2 2 255\nabcd", "P5 2147483648 1 255\nabcd",
        "P5 99999999999999999999 1 255\nabcd", "P5 2147483647 2147483647 65535\nabcd",
        "P5 2 2 255\nabc", "P5 2 2 256\nabcdefg", "P6 2 2 255\nabcdefghijk", "P2 2 2 255\n1 2 3",
        "P5 2 2 255x"}) {
    EXPECT_THAT(ParsePnmHeader(broken), RefusedWith(Reason::kImageUndecodable)) << broken;
  }
  // There are as many bytes as four samples need at least, but not four samples.
  EXPECT_THAT(MapOf("P2 2 2 255\n111 222  "), RefusedWith(Reason::kImageUndecodable));
  EXPECT_THAT(MapOf("P2 2 2 255\n1 2 x 4 5 6"), RefusedWith(Reason::kImageUndecodable));
}

}  // namespace
}  // namespace facegate
