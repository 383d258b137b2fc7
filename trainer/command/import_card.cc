#include "trainer/command/import_card.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "face/base/file.h"
#include "face/weights/model_card_reader.h"

namespace facegate {
namespace {

constexpr char kUnstated[] = "not stated";
constexpr uint64_t kMostFigureBytes = 1 << 20;

struct Preset {
  std::string name;
  Preprocessing preprocessing;
  std::string training_data;
  std::string licence;
  std::string origin;
  std::vector<std::string> architectures;
};

// Each preset is what the project's own code does to a face before the network sees it.
const std::vector<Preset>& Presets() {
  static const std::vector<Preset> presets = {
      {.name = "bubbliiiing",
       .preprocessing = {.alignment = AlignmentTemplate::kSphereFace96x112, .letterbox = true},
       .training_data = "CASIA-WebFace",
       .licence = "MIT; the training data are for research",
       .origin = "github.com/bubbliiiing/arcface-pytorch, model_data",
       .architectures = {"mobilefacenet-128", "iresnet-50"}},
      {.name = "insightface",
       .preprocessing = {.alignment = AlignmentTemplate::kArcFace112},
       .training_data = kUnstated,
       .licence = "InsightFace's models are for non-commercial research only; its code is MIT",
       .origin = "github.com/deepinsight/insightface, recognition/arcface_torch",
       .architectures = {"iresnet-50", "iresnet-100", "iresnet-18", "iresnet-34", "iresnet-200",
                         "mobilefacenet-512"}},
  };
  return presets;
}

StatusOr<ModelCard> StartingPoint(const std::optional<ModelCard>& source,
                                  const CardOptions& options) {
  ModelCard card;
  if (source) card = *source;
  if (options.preset) {
    const auto preset = std::find_if(Presets().begin(), Presets().end(), [&](const Preset& known) {
      return known.name == *options.preset;
    });
    if (preset == Presets().end()) {
      return RefuseField("--preset", fmt::format("{} is unknown, there are {}", *options.preset,
                                                 fmt::join(ImportPresetNames(), ", ")));
    }
    card.preprocessing = preset->preprocessing;
    card.training_data = preset->training_data;
    card.licence = preset->licence;
    card.origin = preset->origin;
    return card;
  }
  if (source) return card;
  if (!options.alignment) {
    return RefuseField(
        "--alignment",
        fmt::format("how the training crops were aligned must be said, a wrong template silently "
                    "ruins accuracy: give --preset {}, or --alignment {} or {} (with --color, "
                    "--mean, --scale, --letterbox and --mirror where they differ from RGB, 127.5, "
                    "1/127.5 and no)",
                    fmt::join(ImportPresetNames(), " or "),
                    AlignmentName(AlignmentTemplate::kArcFace112),
                    AlignmentName(AlignmentTemplate::kSphereFace96x112)));
  }
  card.training_data = kUnstated;
  card.licence = kUnstated;
  card.origin = kUnstated;
  return card;
}

Status SetThree(const char* flag, const std::vector<float>& values, std::array<float, 3>& field) {
  if (values.empty()) return OkStatus();
  if (values.size() != 1 && values.size() != field.size()) {
    return RefuseField(flag, fmt::format("{} numbers, expected 1 or 3", values.size()));
  }
  for (size_t i = 0; i < field.size(); ++i) field[i] = values[values.size() == 1 ? 0 : i];
  return OkStatus();
}

Status SetPreprocessing(const CardOptions& options, Preprocessing& preprocessing) {
  if (options.alignment) {
    const std::optional<AlignmentTemplate> alignment = AlignmentFromName(*options.alignment);
    if (!alignment) {
      return RefuseField("--alignment", fmt::format("{} is unknown", *options.alignment));
    }
    // The letterbox of another template says nothing about this one.
    if (preprocessing.alignment != *alignment || !options.preset) {
      preprocessing.letterbox =
          CropSize(*alignment) != cv::Size(preprocessing.input_width, preprocessing.input_height);
    }
    preprocessing.alignment = *alignment;
  }
  if (options.color) {
    if (*options.color != "rgb" && *options.color != "bgr") {
      return RefuseField("--color", fmt::format("{} is neither rgb nor bgr", *options.color));
    }
    preprocessing.colour_order = ColourOrderFromName(*options.color).value_or(ColourOrder::kRgb);
  }
  FACEGATE_RETURN_IF_ERROR(SetThree("--mean", options.mean, preprocessing.mean));
  FACEGATE_RETURN_IF_ERROR(SetThree("--scale", options.scale, preprocessing.scale));
  preprocessing.letterbox = options.letterbox.value_or(preprocessing.letterbox);
  if (options.letterbox_grey) {
    if (*options.letterbox_grey < 0 || *options.letterbox_grey > 255) {
      return RefuseField("--letterbox-grey",
                         fmt::format("{} is not a number from 0 to 255", *options.letterbox_grey));
    }
    preprocessing.letterbox_grey = static_cast<uint8_t>(*options.letterbox_grey);
  }
  preprocessing.mirror_average = options.mirror.value_or(preprocessing.mirror_average);
  const cv::Size crop = CropSize(preprocessing.alignment);
  if (!preprocessing.letterbox &&
      crop != cv::Size(preprocessing.input_width, preprocessing.input_height)) {
    return RefuseField(
        "--no-letterbox",
        fmt::format("a crop of {}x{} does not fill an input of {}x{}", crop.width, crop.height,
                    preprocessing.input_width, preprocessing.input_height));
  }
  return OkStatus();
}

StatusOr<std::vector<AccuracyFigure>> ReadFigures(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string json, ReadFile(path, kMostFigureBytes));
  auto figures = AccuracyFromJson(json);
  return figures.ok() ? std::move(figures) : Annotate(figures.status(), path);
}

}  // namespace

const std::vector<std::string>& ImportPresetNames() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    all.reserve(Presets().size());
    for (const Preset& preset : Presets()) all.push_back(preset.name);
    return all;
  }();
  return names;
}

std::vector<std::string> ArchitecturesOfPreset(const std::string& preset) {
  const auto known = std::find_if(Presets().begin(), Presets().end(),
                                  [&](const Preset& one) { return one.name == preset; });
  return known == Presets().end() ? std::vector<std::string>() : known->architectures;
}

StatusOr<ModelCard> MakeCard(const std::optional<ModelCard>& source, const CardOptions& options) {
  FACEGATE_ASSIGN_OR_RETURN(ModelCard card, StartingPoint(source, options));
  FACEGATE_RETURN_IF_ERROR(SetPreprocessing(options, card.preprocessing));
  if (source && card.preprocessing != source->preprocessing) {
    card.accuracy.clear();
    card.default_min_cosine.reset();
  }
  if (options.default_min_cosine) card.default_min_cosine = options.default_min_cosine;
  if (options.training_data) card.training_data = *options.training_data;
  if (options.licence) card.licence = *options.licence;
  if (options.origin) card.origin = *options.origin;
  if (options.teacher) card.teacher = *options.teacher;
  if (options.intended_use) card.intended_use = *options.intended_use;
  if (options.unintended_use) card.unintended_use = *options.unintended_use;
  if (options.figures) {
    FACEGATE_ASSIGN_OR_RETURN(card.accuracy, ReadFigures(*options.figures));
  }
  card.canary.reset();
  return card;
}

}  // namespace facegate
