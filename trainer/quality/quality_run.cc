#include "trainer/quality/quality_run.h"

#include <fmt/format.h>

#include <functional>
#include <memory>

#include "face/base/counted.h"
#include "face/weights/quality_file.h"
#include "trainer/quality/quality_samples.h"
#include "trainer/quality/quality_source.h"
#include "trainer/quality/quality_training.h"

namespace facegate {
namespace {

// Runs what is left of the epochs. False where it was stopped.
StatusOr<bool> RunEpochs(const NetworkRunOptions& options, const WorkFolder& work,
                         const QualitySamples& samples, const QualitySplit& split,
                         QualityTraining& training, Session& session) {
  double loss = 0.0;
  return RunEpochsLeft(
      options.training.epochs, work, training, session,
      [&](const std::function<void()>& on_batch) -> Status {
        FACEGATE_ASSIGN_OR_RETURN(loss, training.RunEpoch(on_batch));
        return OkStatus();
      },
      [&]() -> Status {
        FACEGATE_ASSIGN_OR_RETURN(const QualityWeights weights, training.Weights());
        FACEGATE_ASSIGN_OR_RETURN(const QualityReport report,
                                  CheckQuality(weights, samples, split.held_out));
        session.Print(fmt::format("epoch {:>3}/{}  loss {:.4f}  {}", training.epochs_done(),
                                  options.training.epochs, loss, HeldOutText(report)));
        return OkStatus();
      });
}

// Without the folders of this machine.
std::string CommandOf(const QualityRunOptions& options) {
  std::string command = "facegate-train fit-quality";
  for (const std::string& path : options.data) command += " --data " + LastNameOf(path);
  for (size_t i = 0; i < options.models.size(); ++i) {
    command += (i == 0 ? " --model " : ",") + LastNameOf(options.models[i]);
  }
  return command + fmt::format(" --crops {} --views {} --drawn {} {}", options.crops, options.views,
                               options.drawn, NetworkRunArguments(options.network));
}

QualityCard CardOf(const QualityRunOptions& options, const QualityRunReport& report) {
  const NetworkRunOptions& network = options.network;
  const QualityReport& held_out = report.held_out;
  QualityCard card = {{"training_data", network.training_data},
                      {"licence", network.licence},
                      {"intended_use", network.intended_use},
                      {"unintended_use", network.unintended_use},
                      {"command", CommandOf(options)},
                      {"people", std::to_string(report.people)},
                      {"views", std::to_string(report.views)},
                      {"held_out_people", std::to_string(report.held_out_people)},
                      {"held_out_views", std::to_string(held_out.views)},
                      {"held_out_correlation", fmt::format("{:.3f}", held_out.correlation)},
                      {"held_out_mean_error", fmt::format("{:.3f}", held_out.mean_error)},
                      {"held_out_eyes_accuracy", PercentText(held_out.eyes_accuracy)},
                      {"held_out_mouth_accuracy", PercentText(held_out.mouth_accuracy)}};
  for (const DiscardPoint& point : held_out.discard) {
    card[fmt::format("held_out_error_at_discard_{:.0f}", 100 * point.discarded)] = fmt::format(
        "{} (best possible {})", PercentText(point.error), PercentText(point.best_error));
  }
  card["error"] = fmt::format(
      "views whose cosine with their clean crop is below {} for one of the teachers, among those "
      "left after the share with the least expected score is discarded",
      kRecognised);
  return card;
}

}  // namespace

std::string HeldOutText(const QualityReport& report) {
  return fmt::format("held out: {} views, correlation {:.3f}, mean error {:.3f}, eyes {}, mouth {}",
                     report.views, report.correlation, report.mean_error,
                     PercentText(report.eyes_accuracy), PercentText(report.mouth_accuracy));
}

StatusOr<QualityRunReport> FitQuality(const QualityRunOptions& options, Session& session) {
  const NetworkRunOptions& network = options.network;
  FACEGATE_ASSIGN_OR_RETURN(const WorkFolder work, WorkFolder::Open(network));
  FACEGATE_ASSIGN_OR_RETURN(const QualitySamples samples,
                            QualitySamplesFor(options, work, session));
  FACEGATE_ASSIGN_OR_RETURN(const QualitySplit split,
                            SplitQualitySamples(samples, network.held_out, network.training.seed));
  FACEGATE_ASSIGN_OR_RETURN(
      const auto training,
      QualityTraining::Create(TrainingOptionsOf(network, session), samples, split.learned));
  QualityRunReport report{.people = split.people,
                          .held_out_people = split.held_out_people,
                          .views = split.learned.size()};
  session.Print(fmt::format("{} views of {} people to learn from, {} of {} people held out",
                            report.views, report.people, split.held_out.size(),
                            report.held_out_people));
  FACEGATE_RETURN_IF_ERROR(work.Resume(*training, session));
  FACEGATE_ASSIGN_OR_RETURN(report.finished,
                            RunEpochs(network, work, samples, split, *training, session));
  if (!report.finished) return report;
  FACEGATE_ASSIGN_OR_RETURN(const QualityWeights weights, training->Weights());
  FACEGATE_ASSIGN_OR_RETURN(report.held_out, CheckQuality(weights, samples, split.held_out));
  FACEGATE_RETURN_IF_ERROR(WriteQualityWeights(network.out, weights, CardOf(options, report)));
  return report;
}

}  // namespace facegate
