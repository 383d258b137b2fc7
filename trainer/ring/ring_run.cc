#include "trainer/ring/ring_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "face/base/catch.h"
#include "face/base/file.h"
#include "face/base/mutex.h"
#include "face/image/encode.h"
#include "face/image/mat_pixels.h"
#include "trainer/ring/ring_events.h"
#include "trainer/ring/ring_figure.h"

namespace facegate {
namespace {

struct Trained {
  StatusOr<RingResult> softmax = Internal("not trained");
  StatusOr<RingResult> arcface = Internal("not trained");
};

std::string TitleOf(const RingTrainingOptions& training, bool arcface) {
  if (!arcface) return "Softmax";
  return fmt::format("ArcFace, margin {:g}, scale {:g}", training.margin, training.scale);
}

RingPanel PanelOf(std::string title, const RingResult& result, const DigitSet& test) {
  std::string figures = fmt::format("accuracy {:.2f} %", 100.0 * result.accuracy);
  if (!result.measure.directions.empty()) {
    figures +=
        fmt::format("     within a class {:.2f}\u00b0     nearest classes {:.1f}\u00b0",
                    result.measure.intra_class_angle, result.measure.smallest_inter_class_angle);
  }
  return {.title = std::move(title),
          .figures = std::move(figures),
          .embeddings = result.embeddings,
          .labels = test.labels,
          .directions = result.measure.directions};
}

// Shows each epoch of a training in `events`, where there is such a file.
RingWatch WatchOf(const RingTrainingOptions& training, const DigitSet& test, RingEvents* events,
                  std::function<void()> advance) {
  RingWatch watch{.advance = std::move(advance)};
  if (events == nullptr) return watch;
  watch.epoch = [&training, &test, events](int64_t epoch, const RingResult& result) {
    const std::string tag = training.arcface ? "plane/arcface" : "plane/softmax";
    const RingFigure figure{.title = fmt::format("Epoch {} of {}", epoch, training.epochs),
                            .subtitle = fmt::format("{} test digits of MNIST", test.size()),
                            .panels = {PanelOf(TitleOf(training, training.arcface), result, test)}};
    return events->ShowPlane(tag, epoch, figure);
  };
  return watch;
}

Trained TrainBoth(const RingRunOptions& options, const DigitSet& train, const DigitSet& test,
                  RingEvents* events, const Session& session) {
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
  const auto train_plain = [&] {
    trained.softmax = TrainRing(plain, train, test, WatchOf(plain, test, events, advance));
  };
  const auto train_margin = [&] {
    trained.arcface = TrainRing(margin, train, test, WatchOf(margin, test, events, advance));
  };
  if (session.threads() >= 2) {
    const std::jthread other(train_plain);
    train_margin();
  } else {
    train_plain();
    train_margin();
  }
  progress.Finish();
  return trained;
}

Status WriteFigure(const RingRunOptions& options, const RingRunReport& report,
                   const DigitSet& test) {
  const RingTrainingOptions& training = options.training;
  const RingFigure figure{
      .title = "What an angular margin does to embeddings",
      .subtitle = fmt::format("{} test digits of MNIST in the plane, as the same network ({}) "
                              "embeds them after {} epochs (seed {})",
                              test.size(), training.network, training.epochs, training.seed),
      .panels = {PanelOf(TitleOf(training, false), report.softmax, test),
                 PanelOf(TitleOf(training, true), report.arcface, test)}};
  return CatchToStatus("drawing the rings", [&]() -> Status {
    FACEGATE_ASSIGN_OR_RETURN(const std::string png, EncodePng(ViewOf(DrawRingFigure(figure))));
    return WriteFileAtomically(options.out, png);
  });
}

void KeepFirst(size_t count, DigitSet& digits) {
  if (count == 0 || count >= digits.size()) return;
  digits.labels.resize(count);
  digits.pixels.resize(count * digits.rows * digits.columns);
}

}  // namespace

StatusOr<RingRunReport> DrawRings(const RingRunOptions& options, const Session& session) {
  const auto start = std::chrono::steady_clock::now();
  FACEGATE_ASSIGN_OR_RETURN(DigitSet train, ReadDigits(options.mnist, DigitPart::kTrain));
  KeepFirst(options.digits, train);
  FACEGATE_ASSIGN_OR_RETURN(const DigitSet test, ReadDigits(options.mnist, DigitPart::kTest));
  std::unique_ptr<RingEvents> events;
  if (!options.events.empty()) {
    FACEGATE_ASSIGN_OR_RETURN(events, RingEvents::Create(options.events, options.training.network));
  }
  Trained trained = TrainBoth(options, train, test, events.get(), session);
  RingRunReport report{.train_digits = train.size(), .test_digits = test.size()};
  FACEGATE_ASSIGN_OR_RETURN(report.softmax, std::move(trained.softmax));
  FACEGATE_ASSIGN_OR_RETURN(report.arcface, std::move(trained.arcface));
  FACEGATE_RETURN_IF_ERROR(WriteFigure(options, report, test));
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace facegate
