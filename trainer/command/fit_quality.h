#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/command/command.h"
#include "trainer/quality/quality_report.h"

namespace facegate {

struct FitQualityOptions {
  std::string out{};                  // the weight file to write
  std::vector<std::string> data{};    // folders, lists or packs of aligned crops
  std::vector<std::string> models{};  // the teachers
  std::optional<std::string> work{};  // folder of samples and checkpoint; nothing: OUT.work
  size_t drawn = 0;                   // people who do not exist, three crops each
  size_t crops = 6000;                // at most so many of each set
  size_t views = 3;                   // of each crop
  uint64_t seed = 1;
  int64_t epochs = 12;
  int64_t batch = 64;
  double learning_rate = 2e-3;
  double held_out = 0.2;  // share of the people
  int threads = 0;        // 0: as many as the machine has cores
  bool restart = false;   // forget samples and checkpoint
  bool force = false;     // replace OUT
  std::string training_data{};
  std::string licence{};
  std::string intended_use =
      "telling whether the photo of a face is fit to be compared, beside other measures";
  std::string unintended_use = "telling people apart, judging how somebody looks";
  std::string command{};  // for the card
};

struct FitQualityReport {
  size_t people = 0;
  size_t held_out_people = 0;
  size_t views = 0;
  QualityReport held_out;
};

// Trains the quality network and writes its weights. Lines about each epoch go to `out`. A run that
// was stopped goes on where its work folder's checkpoint is; when it is done, its samples stay
// there.
StatusOr<FitQualityReport> FitQuality(const FitQualityOptions& options, std::ostream& out);

// `app` outlives the command.
TrainCommand AddFitQualityCommand(CLI::App& app);

}  // namespace facegate
