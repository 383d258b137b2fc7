#include "trainer/run/fit.h"

#include "trainer/run/fit_run.h"

namespace facegate {

StatusOr<FitReport> Fit(const Recipe& recipe, const FitOptions& options, std::ostream& progress) {
  FACEGATE_RETURN_IF_ERROR(CheckRecipe(recipe));
  FACEGATE_ASSIGN_OR_RETURN(const auto run, FitRun::Begin(recipe, options, progress));
  return run->Go();
}

}  // namespace facegate
