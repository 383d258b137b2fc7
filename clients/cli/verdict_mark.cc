#include "clients/cli/verdict_mark.h"

#include <opencv2/imgproc.hpp>
#include <vector>

namespace facegate {

cv::Scalar ColourOf(VerdictMark mark) {
  switch (mark) {
    case VerdictMark::kRight:
      return {60, 150, 20};
    case VerdictMark::kWrong:
      return {40, 40, 190};
    case VerdictMark::kUnfit:
      return {0, 105, 200};
    case VerdictMark::kNobody:
    case VerdictMark::kRightNobody:
      break;
  }
  return {95, 95, 95};
}

void DrawMark(VerdictMark mark, const cv::Point& corner, cv::Mat& picture) {
  const cv::Scalar white = cv::Scalar::all(255);
  cv::rectangle(picture, cv::Rect(corner, cv::Size(kMarkSide, kMarkSide)), ColourOf(mark),
                cv::FILLED);
  const auto line = [&](const std::vector<cv::Point>& points) {
    for (size_t i = 1; i < points.size(); ++i) {
      cv::line(picture, corner + points[i - 1], corner + points[i], white, 2, cv::LINE_AA);
    }
  };
  switch (mark) {
    case VerdictMark::kRight:
    case VerdictMark::kRightNobody:
      line({{3, 7}, {5, 9}, {9, 3}});
      break;
    case VerdictMark::kWrong:
      line({{3, 3}, {9, 9}});
      line({{9, 3}, {3, 9}});
      break;
    case VerdictMark::kUnfit:
      line({{6, 2}, {6, 7}});
      line({{6, 10}, {6, 10}});
      break;
    case VerdictMark::kNobody:
      cv::putText(picture, "?", corner + cv::Point(2, 11), cv::FONT_HERSHEY_SIMPLEX, 0.42, white, 1,
                  cv::LINE_AA);
      break;
  }
}

}  // namespace facegate
