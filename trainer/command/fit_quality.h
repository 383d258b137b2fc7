#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/command/command.h"
#include "trainer/command/fit_network.h"
#include "trainer/quality/quality_report.h"

namespace facegate {

struct FitQualityOptions {
  FitNetworkOptions network{
      .training = {.epochs = 12},
      .intended_use =
          "telling whether the photo of a face is fit to be compared, beside other measures",
      .unintended_use = "telling people apart, judging how somebody looks"};
  std::vector<std::string> data{};    // folders, lists or packs of aligned crops
  std::vector<std::string> models{};  // the teachers
  size_t drawn = 0;                   // people who do not exist, three crops each
  size_t crops = 6000;                // at most so many of each set
  size_t views = 3;                   // of each crop
};

struct FitQualityReport {
  size_t people = 0;
  size_t held_out_people = 0;
  size_t views = 0;
  QualityReport held_out;
};

// Trains the quality network and writes its weights. Lines about each epoch go to `out`. A run that
// was stopped goes on after the last epoch that its work folder has a checkpoint of;
// kFailedPrecondition where options or samples are others now. Samples and checkpoint stay there
// when it is done.
StatusOr<FitQualityReport> FitQuality(const FitQualityOptions& options, std::ostream& out);

// `app` outlives the command.
TrainCommand AddFitQualityCommand(CLI::App& app);

}  // namespace facegate
