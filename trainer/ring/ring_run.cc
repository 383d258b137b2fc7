#include "trainer/ring/ring_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "face/base/catch.h"
#include "face/base/file.h"
#include "face/base/mutex.h"
#include "face/image/encode.h"
#include "face/image/mat_pixels.h"
#include "trainer/ring/ring_figure.h"

namespace facegate {
namespace {

struct Trained {
  StatusOr<RingResult> softmax = Internal("not trained");
  StatusOr<RingResult> arcface = Internal("not trained");
};

Trained TrainBoth(const RingRunOptions& options, const DigitSet& train, const DigitSet& test,
                  const Session& session) {
  RingTrainingOptions plain = options.training;
  plain.arcface = false;
  plain.threads = std::max(1, session.threads() / 2);
  RingTrainingOptions margin = plain;
  margin.arcface = true;

  Mutex mutex;
  ProgressBar progress =
      session.Bar("steps", RingTrainingSteps(plain, train) + RingTrainingSteps(margin, train));
  const auto advance = [&] {
    const MutexLock lock(mutex);
    progress.Advance();
  };
  Trained trained;
  const auto train_plain = [&] { trained.softmax = TrainRing(plain, train, test, advance); };
  if (session.threads() >= 2) {
    const std::jthread other(train_plain);
    trained.arcface = TrainRing(margin, train, test, advance);
  } else {
    train_plain();
    trained.arcface = TrainRing(margin, train, test, advance);
  }
  progress.Finish();
  return trained;
}

RingPanel PanelOf(std::string title, const RingResult& result, const DigitSet& test) {
  return {.title = std::move(title),
          .figures = fmt::format(
              "accuracy {:.2f} %     within a class {:.2f}\u00b0     nearest classes {:.1f}\u00b0",
              100.0 * result.accuracy, result.measure.intra_class_angle,
              result.measure.smallest_inter_class_angle),
          .embeddings = result.embeddings,
          .labels = test.labels,
          .directions = result.measure.directions};
}

Status WriteFigure(const RingRunOptions& options, const RingRunReport& report,
                   const DigitSet& test) {
  const RingTrainingOptions& training = options.training;
  const RingFigure figure{
      .title = "What an angular margin does to embeddings",
      .subtitle = fmt::format("{} test digits of MNIST in the plane, as the same small network "
                              "embeds them after {} epochs (seed {})",
                              test.size(), training.epochs, training.seed),
      .panels = {
          PanelOf("Softmax", report.softmax, test),
          PanelOf(fmt::format("ArcFace, margin {:g}, scale {:g}", training.margin, training.scale),
                  report.arcface, test)}};
  return CatchToStatus("drawing the rings", [&]() -> Status {
    FACEGATE_ASSIGN_OR_RETURN(const std::string png, EncodePng(ViewOf(DrawRingFigure(figure))));
    return WriteFileAtomically(options.out, png);
  });
}

}  // namespace

StatusOr<RingRunReport> DrawRings(const RingRunOptions& options, const Session& session) {
  const auto start = std::chrono::steady_clock::now();
  FACEGATE_ASSIGN_OR_RETURN(const DigitSet train, ReadDigits(options.mnist, DigitPart::kTrain));
  FACEGATE_ASSIGN_OR_RETURN(const DigitSet test, ReadDigits(options.mnist, DigitPart::kTest));
  Trained trained = TrainBoth(options, train, test, session);
  RingRunReport report{.train_digits = train.size(), .test_digits = test.size()};
  FACEGATE_ASSIGN_OR_RETURN(report.softmax, std::move(trained.softmax));
  FACEGATE_ASSIGN_OR_RETURN(report.arcface, std::move(trained.arcface));
  FACEGATE_RETURN_IF_ERROR(WriteFigure(options, report, test));
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace facegate
