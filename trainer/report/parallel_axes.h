#pragma once

#include <string>
#include <vector>

namespace facegate::report {

// Places are 0 at the low end of an axis and 1 at its high end.
struct ParallelTick {
  double place = 0.0;
  std::string label{};
};

struct ParallelAxis {
  std::string name{};
  std::vector<ParallelTick> ticks{};
};

struct ParallelLine {
  std::vector<double> places{};  // on the axes, from the left; fewer of them: it ends there, dashed
  std::string text{};            // shown where a pointer rests on it
  double strength = 1.0;         // 0..1: how dark it is
  bool is_best = false;
};

struct ParallelPicture {
  std::string title{};
  std::string caption{};  // may be empty
  std::vector<ParallelAxis> axes{};
  std::vector<ParallelLine> lines{};  // the last is drawn on top
};

// A <figure> with upright axes side by side and a line from the first to the last of them for each
// thing that has a value on all (parallel coordinates), as inline SVG, drawn with the classes of
// page_style.h. It is as wide as its names and labels need; long labels are cut in their middle.
// All texts are escaped here. Empty where there is no line.
std::string ParallelFigure(const ParallelPicture& picture);

}  // namespace facegate::report
