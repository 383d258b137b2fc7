#pragma once

#include <cstdint>
#include <sstream>
#include <string>

#include "tests/trainer/run/run_fixture.h"
#include "trainer/run/fit.h"

namespace facegate {

// A test trains by Fit() and reads what the run says.
class FitTest : public RunFixture {
 protected:
  StatusOr<FitReport> Run(const Recipe& recipe, const std::string& run, int64_t stop_after = 0) {
    out_.str("");
    Session session(
        {.out = out_, .progress = out_, .threads = static_cast<int>(recipe.machine.threads)});
    return Fit(recipe, {.directory = dir_.File(run), .stop_after = stop_after}, session);
  }
  std::string said() const { return out_.str(); }

 private:
  std::ostringstream out_;
};

}  // namespace facegate
