#include "trainer/command/card_print.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>

#include "face/decide/rates.h"
#include "trainer/command/calibration_print.h"

namespace facegate {
namespace {

constexpr int kNameWidth = 22;

// Further lines of the text stand below its first.
std::string Indented(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  const std::string margin = "\n" + std::string(kNameWidth, ' ');
  for (size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1)) {
    text.replace(at, 1, margin);
  }
  return text;
}

// Says what is known of the default's error rate.
std::string RateText(const ModelCard& card) {
  if (!card.calibration) return " (not calibrated)";
  const ErrorRate rate =
      FalseMatchRateAt(*card.calibration, static_cast<double>(*card.default_min_cosine));
  return fmt::format(" (FMR {:.2e}, on other people {:.2e}..{:.2e})", rate.rate, rate.lower,
                     rate.upper);
}

}  // namespace

void PrintCardRow(std::string_view name, std::string_view value, std::ostream& out) {
  out << fmt::format("{:<{}}{}\n", name, kNameWidth, value);
}

void PrintCard(const ModelCard& card, std::ostream& out) {
  const Preprocessing& preprocessing = card.preprocessing;
  const auto row = [&out](std::string_view name, std::string_view value) {
    PrintCardRow(name, value, out);
  };
  const auto text = [&row](std::string_view name, const std::string& value) {
    if (!value.empty()) row(name, Indented(value));
  };
  row("embedding size", fmt::format("{}", card.embedding_size));
  row("model digest", card.model_digest);
  row("crop", fmt::format("{}{}", AlignmentName(preprocessing.alignment),
                          preprocessing.letterbox
                              ? fmt::format(", letterbox on grey {}", preprocessing.letterbox_grey)
                              : std::string()));
  row("input",
      fmt::format(
          "{} x {} {}, (pixel - [{}]) * [{}], {}", preprocessing.input_width,
          preprocessing.input_height, ColourOrderName(preprocessing.colour_order),
          fmt::join(preprocessing.mean, ", "), fmt::join(preprocessing.scale, ", "),
          preprocessing.mirror_average ? "averaged with its mirror image" : "not mirrored"));
  row("preprocessing digest", card.preprocessing_digest);
  text("training data", card.training_data);
  text("licence", card.licence);
  text("origin", card.origin);
  text("teacher", card.teacher);
  text("intended use", card.intended_use);
  text("not for", card.unintended_use);
  text("recipe", card.recipe);
  for (const AccuracyFigure& figure : card.accuracy) {
    row("accuracy", fmt::format("{}: {:g} {}  ({})", figure.measure, figure.value, figure.unit,
                                figure.command));
  }
  if (card.accuracy.empty()) row("accuracy", "none recorded");
  row("default min cosine", card.default_min_cosine
                                ? fmt::format("{}{}", *card.default_min_cosine, RateText(card))
                                : std::string("none"));
  row("calibration",
      card.calibration ? CalibrationSummary(*card.calibration) : std::string("none"));
  row("canary", card.canary ? fmt::format("{} crops, seed {}", card.canary->embeddings.size(),
                                          card.canary->seed)
                            : std::string("none"));
}

}  // namespace facegate
