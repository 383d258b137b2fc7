#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/quality/quality_report.h"
#include "trainer/run/network_run.h"
#include "trainer/run/session.h"

namespace facegate {

struct QualityRunOptions {
  NetworkRunOptions network{
      .training = {.epochs = 12},
      .intended_use =
          "telling whether the photo of a face is fit to be compared, beside other measures",
      .unintended_use = "telling people apart, judging how somebody looks"};
  std::vector<std::string> data{};    // sets of aligned crops, see OpenPhotoSource()
  std::vector<std::string> models{};  // the teachers
  size_t drawn = 0;                   // people who do not exist, three crops each
  size_t crops = 6000;                // at most so many of each set
  size_t views = 3;                   // of each crop
};

struct QualityRunReport {
  bool finished = false;  // else it was asked to stop, and no weights were written
  size_t people = 0;
  size_t held_out_people = 0;
  size_t views = 0;
  QualityReport held_out{};
};

// "held out: N views, correlation ..."
std::string HeldOutText(const QualityReport& report);

// Trains the quality network and writes its weights; a line about each epoch goes to the session. A
// run that was stopped goes on after the last epoch that its work folder has a checkpoint of;
// kFailedPrecondition where options or samples are others now. Samples and checkpoint stay there
// when it is done.
StatusOr<QualityRunReport> FitQuality(const QualityRunOptions& options, Session& session);

}  // namespace facegate
