#include "trainer/run/recipe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <set>
#include <span>
#include <thread>
#include <utility>
#include <variant>

#include "face/base/catch.h"
#include "face/base/file.h"
#include "face/model/architecture.h"

namespace facegate {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kMostCount = 1e12;
constexpr uint64_t kMostRecipeBytes = 1 << 20;

using Field = std::variant<std::string*, double*, int*, int64_t*, uint64_t*, bool*,
                           std::vector<std::string>*, std::vector<double>*>;

struct Range {
  double min = 0.0;
  double max = 0.0;
};

using Choices = const std::vector<std::string>& (*)();

// One key: "section.name".
struct Key {
  std::string_view name;
  Field (*field)(Recipe&);
  Range range;
  Choices choices;
  std::string_view sentence;
};

const std::vector<std::string>& Colours() {
  static const std::vector<std::string> all = {"rgb", "bgr"};
  return all;
}

const std::vector<std::string>& BestMeasures() {
  static const std::vector<std::string> all = {"accuracy", "tar", "eer"};
  return all;
}

const std::vector<std::string>& Gradients() {
  static const std::vector<std::string> all = {"exact", "straight-through"};
  return all;
}

#define FACEGATE_FIELD(member) [](Recipe& r) -> Field { return &r.member; }

const std::vector<Key>& Keys() {
  static const std::vector<Key> keys = {
      {"data.train",
       FACEGATE_FIELD(data.train),
       {},
       nullptr,
       "Labelled photos: folders with a folder for each identity, lists, or packs. All are aligned "
       "crops of 112 x 112."},
      {"data.unlabelled",
       FACEGATE_FIELD(data.unlabelled),
       {},
       nullptr,
       "The same kinds, whose labels do not count: they learn from the teacher alone."},
      {"data.root",
       FACEGATE_FIELD(root),
       {},
       nullptr,
       "The folder that relative paths of this file are below. Empty: the current folder."},
      {"data.leave_out",
       FACEGATE_FIELD(data.leave_out),
       {},
       nullptr,
       "A file with the path of a photo to leave out in each line (inspect --quarantine)."},
      {"data.centre_crop",
       FACEGATE_FIELD(data.centre_crop),
       {0, 65536},
       nullptr,
       "Pictures show more than a crop: their middle, so many pixels high, is what is trained and "
       "evaluated with. 0: they are crops."},
      {"data.min_photos",
       FACEGATE_FIELD(data.min_photos),
       {1, 1e9},
       nullptr,
       "Identities with fewer photos are left out."},
      {"data.batch", FACEGATE_FIELD(batch), {2, 65536}, nullptr, "Photos of one step."},
      {"data.balanced",
       FACEGATE_FIELD(balanced),
       {},
       nullptr,
       "Draw every identity as often as any other, instead of every photo once an epoch."},
      {"data.colour",
       FACEGATE_FIELD(colour),
       {},
       Colours,
       "The order in which the network takes the channels."},

      {"augment.flip",
       FACEGATE_FIELD(augment.flip),
       {0, 1},
       nullptr,
       "Probability of a mirror image."},
      {"augment.blend",
       FACEGATE_FIELD(blend),
       {0, 1},
       nullptr,
       "Probability of a blend with another photo, without a label: needs teacher.model."},
      {"augment.crop",
       FACEGATE_FIELD(augment.crop),
       {0, 1},
       nullptr,
       "Probability of a shift, zoom and turn."},
      {"augment.crop_shift",
       FACEGATE_FIELD(augment.crop_shift),
       {0, 1},
       nullptr,
       "The farthest shift, a share of the side."},
      {"augment.crop_zoom",
       FACEGATE_FIELD(augment.crop_zoom),
       {0, 0.999},
       nullptr,
       "The strongest zoom, a share of the side."},
      {"augment.crop_turn",
       FACEGATE_FIELD(augment.crop_turn),
       {0, 180},
       nullptr,
       "The largest turn, degrees."},
      {"augment.zero_crop",
       FACEGATE_FIELD(augment.zero_crop),
       {0, 1},
       nullptr,
       "Probability of black outside a random part (AdaFace's crop)."},
      {"augment.low_resolution",
       FACEGATE_FIELD(augment.low_resolution),
       {0, 1},
       nullptr,
       "Probability of making it small and large again."},
      {"augment.low_resolution_least",
       FACEGATE_FIELD(augment.low_resolution_least),
       {0.01, 1},
       nullptr,
       "The smallest share of the side."},
      {"augment.photometric",
       FACEGATE_FIELD(augment.photometric),
       {0, 1},
       nullptr,
       "Probability of changed brightness, contrast and saturation."},
      {"augment.brightness",
       FACEGATE_FIELD(augment.brightness),
       {0, 1},
       nullptr,
       "Times 1 ± this."},
      {"augment.contrast", FACEGATE_FIELD(augment.contrast), {0, 1}, nullptr, "Times 1 ± this."},
      {"augment.saturation",
       FACEGATE_FIELD(augment.saturation),
       {0, 1},
       nullptr,
       "Times 1 ± this."},
      {"augment.grey",
       FACEGATE_FIELD(augment.grey),
       {0, 1},
       nullptr,
       "Probability of a picture without colours."},
      {"augment.erase",
       FACEGATE_FIELD(augment.erase),
       {0, 1},
       nullptr,
       "Probability of a rectangle of noise."},
      {"augment.erase_most",
       FACEGATE_FIELD(augment.erase_most),
       {0, 1},
       nullptr,
       "The largest erased share of the area."},

      {"synthetic.identities",
       FACEGATE_FIELD(data.synthetic_identities),
       {0, 1e7},
       nullptr,
       "Generated identities that are trained beside the real ones."},
      {"synthetic.views",
       FACEGATE_FIELD(data.synthetic_views),
       {1, 1e5},
       nullptr,
       "Pictures of each of them."},
      {"synthetic.seed", FACEGATE_FIELD(data.synthetic_seed), {0, 1e18}, nullptr, "Who they are."},

      {"holdout.identities",
       FACEGATE_FIELD(data.holdout_identities),
       {0, 1e7},
       nullptr,
       "Identities of data.train that are not trained on but evaluated with; 0: none."},
      {"holdout.photos",
       FACEGATE_FIELD(data.holdout_photos),
       {2, 1e6},
       nullptr,
       "The most photos of each that pairs are made of."},
      {"holdout.pairs",
       FACEGATE_FIELD(data.holdout_pairs),
       {20, 1e7},
       nullptr,
       "Pairs, half of them of one person."},

      {"evaluate.pairs",
       FACEGATE_FIELD(data.evaluate_pairs),
       {},
       nullptr,
       "Another list of pairs to evaluate with (as for facegate-train eval). Empty: none."},
      {"evaluate.photos",
       FACEGATE_FIELD(data.evaluate_photos),
       {},
       nullptr,
       "The folder of its photos, aligned crops."},
      {"evaluate.every", FACEGATE_FIELD(evaluate_every), {0.001, 1e6}, nullptr, "In epochs."},
      {"evaluate.mirror",
       FACEGATE_FIELD(evaluate_mirror),
       {},
       nullptr,
       "Average with the mirror image, and say so in the model card."},

      {"network.architecture",
       FACEGATE_FIELD(training.architecture),
       {},
       ArchitectureNames,
       "The backbone."},
      {"network.dropout",
       FACEGATE_FIELD(training.dropout),
       {0, 0.99},
       nullptr,
       "Before the last linear layer of iresnet and irse."},
      {"network.seed",
       FACEGATE_FIELD(training.seed),
       {0, 1e18},
       nullptr,
       "Of everything random in the run."},
      {"network.channels_last",
       FACEGATE_FIELD(training.channels_last),
       {},
       nullptr,
       "Keep channels together in memory: faster on a CPU."},
      {"network.bf16",
       FACEGATE_FIELD(training.bf16),
       {},
       nullptr,
       "Compute the backbone in bfloat16; slower where the machine has no instructions for it."},

      {"head.kind",
       FACEGATE_FIELD(training.head.margin.kind),
       {},
       MarginKinds,
       "The loss of the ArcFace family."},
      {"head.scale", FACEGATE_FIELD(training.head.margin.scale), {0.001, 1e4}, nullptr, "s."},
      {"head.margin",
       FACEGATE_FIELD(training.head.margin.margin),
       {0, 3.15},
       nullptr,
       "m: radians for arcface and curricularface, a cosine for cosface and adaface."},
      {"head.easy_margin",
       FACEGATE_FIELD(training.head.margin.easy_margin),
       {},
       nullptr,
       "No margin where the angle is above 90 degrees."},
      {"head.gradient",
       FACEGATE_FIELD(gradient),
       {},
       Gradients,
       "Of arcface and combined: the formula's, or as if the margin were a constant "
       "(InsightFace)."},
      {"head.m1", FACEGATE_FIELD(training.head.margin.m1), {0.001, 100}, nullptr, "combined."},
      {"head.m2", FACEGATE_FIELD(training.head.margin.m2), {0, 3.15}, nullptr, "combined."},
      {"head.m3", FACEGATE_FIELD(training.head.margin.m3), {0, 1}, nullptr, "combined."},
      {"head.h", FACEGATE_FIELD(training.head.margin.h), {0, 100}, nullptr, "adaface."},
      {"head.norm_momentum",
       FACEGATE_FIELD(training.head.margin.norm_momentum),
       {0, 1},
       nullptr,
       "adaface: share of a batch in the running norms."},
      {"head.lower_norm",
       FACEGATE_FIELD(training.head.margin.lower_norm),
       {0, 1e6},
       nullptr,
       "magface."},
      {"head.upper_norm",
       FACEGATE_FIELD(training.head.margin.upper_norm),
       {0, 1e6},
       nullptr,
       "magface."},
      {"head.lower_margin",
       FACEGATE_FIELD(training.head.margin.lower_margin),
       {0, 3.15},
       nullptr,
       "magface."},
      {"head.upper_margin",
       FACEGATE_FIELD(training.head.margin.upper_margin),
       {0, 3.15},
       nullptr,
       "magface."},
      {"head.norm_weight",
       FACEGATE_FIELD(training.head.margin.norm_weight),
       {0, 1e6},
       nullptr,
       "magface: of the loss that holds norms up."},
      {"head.angle_factor",
       FACEGATE_FIELD(training.head.margin.angle_factor),
       {1, 16},
       nullptr,
       "sphereface: m, a whole number."},
      {"head.lambda_base",
       FACEGATE_FIELD(training.head.margin.lambda_base),
       {0, 1e9},
       nullptr,
       "sphereface: how the margin is mixed in."},
      {"head.lambda_gamma",
       FACEGATE_FIELD(training.head.margin.lambda_gamma),
       {0, 1e3},
       nullptr,
       "sphereface."},
      {"head.lambda_power",
       FACEGATE_FIELD(training.head.margin.lambda_power),
       {0, 1e3},
       nullptr,
       "sphereface."},
      {"head.lambda_minimum",
       FACEGATE_FIELD(training.head.margin.lambda_minimum),
       {0, 1e9},
       nullptr,
       "sphereface."},
      {"head.sub_centers",
       FACEGATE_FIELD(training.head.sub_centers),
       {1, 64},
       nullptr,
       "Centres of each class."},
      {"head.sample_rate",
       FACEGATE_FIELD(training.head.sample_rate),
       {1e-6, 1},
       nullptr,
       "Share of the classes that a step compares with (Partial FC)."},
      {"head.linear",
       FACEGATE_FIELD(training.head.linear),
       {},
       nullptr,
       "A plain linear layer instead."},
      {"head.margin_warmup",
       FACEGATE_FIELD(margin_warmup),
       {0, 1e6},
       nullptr,
       "Epochs until the margin has its full strength."},

      {"loss.focal_gamma",
       FACEGATE_FIELD(training.loss.focal_gamma),
       {0, 100},
       nullptr,
       "Focal loss of each sample; 0: cross entropy."},
      {"loss.label_smoothing",
       FACEGATE_FIELD(training.loss.label_smoothing),
       {0, 1},
       nullptr,
       "The share of the target that all classes have alike."},

      {"teacher.model",
       FACEGATE_FIELD(teacher),
       {},
       nullptr,
       "A model file whose embeddings are learned from too. Empty: none."},
      {"teacher.weight",
       FACEGATE_FIELD(training.distillation),
       {0, 1e6},
       nullptr,
       "Of the mean of 1 - cosine to its embeddings."},
      {"teacher.map_weight",
       FACEGATE_FIELD(training.map_distillation),
       {0, 1e6},
       nullptr,
       "Of what the maps between the stages lack of the teacher's; it must have maps of the same "
       "sizes. 0: they are not compared."},

      {"optimizer.kind",
       FACEGATE_FIELD(training.optimizer.kind),
       {},
       OptimizerKinds,
       "How it learns."},
      {"optimizer.momentum",
       FACEGATE_FIELD(training.optimizer.momentum),
       {0, 0.9999},
       nullptr,
       "sgd."},
      {"optimizer.nesterov", FACEGATE_FIELD(training.optimizer.nesterov), {}, nullptr, "sgd."},
      {"optimizer.beta1", FACEGATE_FIELD(training.optimizer.beta1), {0, 0.9999}, nullptr, "adam."},
      {"optimizer.beta2", FACEGATE_FIELD(training.optimizer.beta2), {0, 0.99999}, nullptr, "adam."},
      {"optimizer.epsilon",
       FACEGATE_FIELD(training.optimizer.epsilon),
       {1e-30, 1},
       nullptr,
       "adam, adamw, adabound."},
      {"optimizer.final_rate",
       FACEGATE_FIELD(training.optimizer.final_rate),
       {1e-12, 1e3},
       nullptr,
       "adabound."},
      {"optimizer.bound_speed",
       FACEGATE_FIELD(training.optimizer.bound_speed),
       {1e-9, 1},
       nullptr,
       "adabound."},
      {"optimizer.amsbound", FACEGATE_FIELD(training.optimizer.amsbound), {}, nullptr, "adabound."},
      {"optimizer.weight_decay",
       FACEGATE_FIELD(training.weight_decay),
       {0, 10},
       nullptr,
       "Of convolutions and linear layers; batch norms, biases and PReLU slopes have none."},
      {"optimizer.clip_norm",
       FACEGATE_FIELD(training.clip_norm),
       {0, kInfinity},
       nullptr,
       "Largest norm of all gradients; 0: no clipping."},
      {"optimizer.accumulate",
       FACEGATE_FIELD(training.accumulate),
       {1, 1e6},
       nullptr,
       "Batches for one update."},
      {"optimizer.ema",
       FACEGATE_FIELD(training.ema_decay),
       {0, 0.999999},
       nullptr,
       "Decay of averaged weights, which are then the result; 0: none."},

      {"schedule.kind",
       FACEGATE_FIELD(training.schedule.kind),
       {},
       ScheduleKinds,
       "How the learning rate falls."},
      {"schedule.rate",
       FACEGATE_FIELD(training.schedule.base),
       {1e-12, 1e3},
       nullptr,
       "The learning rate after the warm-up."},
      {"schedule.minimum",
       FACEGATE_FIELD(training.schedule.minimum),
       {0, 1e3},
       nullptr,
       "Where cosine, polynomial and yolox end."},
      {"schedule.epochs", FACEGATE_FIELD(epochs), {0.001, 1e6}, nullptr, "How long to train."},
      {"schedule.warmup", FACEGATE_FIELD(warmup), {0, 1e6}, nullptr, "Epochs."},
      {"schedule.step_every", FACEGATE_FIELD(step_every), {0.001, 1e6}, nullptr, "Epochs; step."},
      {"schedule.gamma",
       FACEGATE_FIELD(training.schedule.gamma),
       {0, 1},
       nullptr,
       "step, multistep."},
      {"schedule.milestones", FACEGATE_FIELD(milestones), {0, 1e6}, nullptr, "Epochs; multistep."},
      {"schedule.power", FACEGATE_FIELD(training.schedule.power), {0, 100}, nullptr, "polynomial."},
      {"schedule.tail", FACEGATE_FIELD(tail), {0, 1e6}, nullptr, "Epochs at the minimum; yolox."},

      {"checkpoint.every",
       FACEGATE_FIELD(checkpoint_every),
       {1, kMostCount},
       nullptr,
       "Batches between checkpoints."},
      {"checkpoint.keep", FACEGATE_FIELD(checkpoint_keep), {1, 1e6}, nullptr, "How many stay."},
      {"checkpoint.best_by",
       FACEGATE_FIELD(best_by),
       {},
       BestMeasures,
       "What makes the best model: accuracy, tar (at FAR 1e-3) or eer of the first evaluation "
       "set."},
      {"checkpoint.patience",
       FACEGATE_FIELD(patience),
       {0, 1e6},
       nullptr,
       "Evaluations without a better one after which training ends early; 0: never."},

      {"machine.threads",
       FACEGATE_FIELD(threads),
       {0, 1024},
       nullptr,
       "Of the computation; results are equal to the bit for equal threads. 0: one a core."},
      {"machine.loader_threads",
       FACEGATE_FIELD(loader_threads),
       {1, 1024},
       nullptr,
       "That read and change photos; results do not depend on it."},

      {"card.training_data",
       FACEGATE_FIELD(training_data),
       {},
       nullptr,
       "What the model card says of the photos and their terms, in words. Required."},
      {"card.licence", FACEGATE_FIELD(licence), {}, nullptr, "Of the weights."},
      {"card.origin", FACEGATE_FIELD(origin), {}, nullptr, "Where the weights come from."},
      {"card.intended_use", FACEGATE_FIELD(intended_use), {}, nullptr, "What the model is for."},
      {"card.unintended_use",
       FACEGATE_FIELD(unintended_use),
       {},
       nullptr,
       "What it is not for."},
  };
  return keys;
}

#undef FACEGATE_FIELD

std::string RangeText(const Range& range) {
  if (range.max == kInfinity) return fmt::format("{:g} or more", range.min);
  return fmt::format("{:g} to {:g}", range.min, range.max);
}

Status CheckNumber(const Key& key, double value, const std::string& origin) {
  if (value >= key.range.min && value <= key.range.max) return OkStatus();
  return InvalidArgument(
      fmt::format("{}: {} is {:g}, must be {}", origin, key.name, value, RangeText(key.range)));
}

template <typename T>
Status ReadScalar(const Key& key, const YAML::Node& node, const std::string& origin,
                  std::string_view expected, T& out) {
  T value{};
  if (!node.IsScalar() || !YAML::convert<T>::decode(node, value)) {
    return InvalidArgument(fmt::format("{}: {} must be {}", origin, key.name, expected));
  }
  if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
    FACEGATE_RETURN_IF_ERROR(CheckNumber(key, static_cast<double>(value), origin));
  }
  out = std::move(value);
  return OkStatus();
}

template <typename T>
Status ReadSequence(const Key& key, const YAML::Node& node, const std::string& origin,
                    std::string_view expected, std::vector<T>& out) {
  std::vector<T> values;
  if (node.IsScalar() || node.IsNull()) {
    if (!node.IsNull() && !node.Scalar().empty()) {
      FACEGATE_RETURN_IF_ERROR(ReadScalar(key, node, origin, expected, values.emplace_back()));
    }
  } else {
    if (!node.IsSequence()) {
      return InvalidArgument(
          fmt::format("{}: {} must be a list of {}s", origin, key.name, expected));
    }
    values.reserve(node.size());
    for (const YAML::Node& one : node) {
      FACEGATE_RETURN_IF_ERROR(ReadScalar(key, one, origin, expected, values.emplace_back()));
    }
  }
  out = std::move(values);
  return OkStatus();
}

struct Reader {
  const Key& key;
  const YAML::Node& node;
  const std::string& origin;

  Status operator()(std::string* out) const {
    std::string text;
    if (!node.IsNull()) {
      FACEGATE_RETURN_IF_ERROR(ReadScalar(key, node, origin, "a text", text));
    }
    if (key.choices != nullptr) {
      const std::vector<std::string>& all = key.choices();
      if (std::find(all.begin(), all.end(), text) == all.end()) {
        return InvalidArgument(fmt::format("{}: {} is \"{}\", must be one of {}", origin, key.name,
                                           text, fmt::join(all, ", ")));
      }
    }
    *out = std::move(text);
    return OkStatus();
  }
  Status operator()(double* out) const { return ReadScalar(key, node, origin, "a number", *out); }
  Status operator()(int* out) const {
    return ReadScalar(key, node, origin, "a whole number", *out);
  }
  Status operator()(int64_t* out) const {
    return ReadScalar(key, node, origin, "a whole number", *out);
  }
  Status operator()(uint64_t* out) const {
    return ReadScalar(key, node, origin, "a whole number", *out);
  }
  Status operator()(bool* out) const {
    return ReadScalar(key, node, origin, "true or false", *out);
  }
  Status operator()(std::vector<std::string>* out) const {
    return ReadSequence(key, node, origin, "text", *out);
  }
  Status operator()(std::vector<double>* out) const {
    return ReadSequence(key, node, origin, "number", *out);
  }
};

Status SetNode(std::string_view name, const YAML::Node& node, const std::string& origin,
               Recipe& recipe) {
  const auto found =
      std::find_if(Keys().begin(), Keys().end(), [&](const Key& key) { return key.name == name; });
  if (found == Keys().end()) {
    return InvalidArgument(fmt::format(
        "{}: there is no key \"{}\"; facegate-train fit --help-recipe lists them", origin, name));
  }
  return std::visit(Reader{*found, node, origin}, found->field(recipe));
}

// A text that YAML reads back as itself.
std::string Quoted(const std::string& text) {
  YAML::Emitter emitter;
  emitter << YAML::DoubleQuoted << text;
  return emitter.c_str();
}

struct Writer {
  std::string operator()(const std::string* value) const { return Quoted(*value); }
  std::string operator()(const double* value) const { return fmt::format("{}", *value); }
  std::string operator()(const int* value) const { return std::to_string(*value); }
  std::string operator()(const int64_t* value) const { return std::to_string(*value); }
  std::string operator()(const uint64_t* value) const { return std::to_string(*value); }
  std::string operator()(const bool* value) const { return *value ? "true" : "false"; }
  std::string operator()(const std::vector<std::string>* value) const {
    std::vector<std::string> quoted;
    quoted.reserve(value->size());
    for (const std::string& one : *value) quoted.push_back(Quoted(one));
    return fmt::format("[{}]", fmt::join(quoted, ", "));
  }
  std::string operator()(const std::vector<double>* value) const {
    return fmt::format("[{}]", fmt::join(*value, ", "));
  }
};

std::string Render(Recipe recipe, bool with_sentences) {
  std::string yaml;
  std::string_view section;
  for (const Key& key : Keys()) {
    const size_t dot = key.name.find('.');
    if (const std::string_view own = key.name.substr(0, dot); own != section) {
      section = own;
      yaml += fmt::format("{}{}:\n", yaml.empty() ? "" : "\n", section);
    }
    if (with_sentences) {
      std::string bounds;
      if (key.range.max > key.range.min) bounds = fmt::format(" [{}]", RangeText(key.range));
      if (key.choices != nullptr) bounds = fmt::format(" [{}]", fmt::join(key.choices(), ", "));
      yaml += fmt::format("  # {}{}\n", key.sentence, bounds);
    }
    yaml += fmt::format("  {}: {}\n", key.name.substr(dot + 1),
                        std::visit(Writer{}, key.field(recipe)));
  }
  return yaml;
}

// Without the folders of this machine.
Recipe Portable(Recipe recipe) {
  namespace fs = std::filesystem;
  const std::string root = std::exchange(recipe.root, std::string());
  const auto shorten = [&](std::string& path) {
    const std::string below = root.empty() ? path : fs::path(path).lexically_relative(root).string();
    const bool inside = !below.empty() && !below.starts_with("..") && !below.starts_with("/");
    path = inside ? below : fs::path(path).filename().string();
  };
  for (std::string& path : recipe.data.train) shorten(path);
  for (std::string& path : recipe.data.unlabelled) shorten(path);
  for (std::string* const path : {&recipe.data.leave_out, &recipe.data.evaluate_pairs,
                                  &recipe.data.evaluate_photos, &recipe.teacher}) {
    if (!path->empty()) shorten(*path);
  }
  return recipe;
}

int64_t Steps(double epochs, int64_t per_epoch) {
  return static_cast<int64_t>(std::llround(epochs * static_cast<double>(per_epoch)));
}

}  // namespace

Status SetRecipeKey(std::string_view name, const std::string& text, const std::string& origin,
                    Recipe& recipe) {
  return CatchToStatus(origin, [&] { return SetNode(name, YAML::Load(text), origin, recipe); });
}

Status ReadRecipe(const std::string& path, Recipe& recipe) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string yaml, ReadFile(path, kMostRecipeBytes));
  YAML::Node root;
  try {
    root = YAML::Load(yaml);
  } catch (const YAML::Exception& error) {
    return InvalidArgument(fmt::format("{}:{}: {}", path, error.mark.line + 1, error.msg));
  }
  if (!root.IsMap()) return InvalidArgument(fmt::format("{}: must be sections of keys", path));
  std::set<std::string> seen;
  for (const auto& section : root) {
    const auto title = section.first.as<std::string>();
    if (!section.second.IsMap()) {
      return InvalidArgument(fmt::format("{}:{}: {} must be a section of keys", path,
                                         section.first.Mark().line + 1, title));
    }
    for (const auto& item : section.second) {
      const std::string name = title + "." + item.first.as<std::string>();
      const std::string origin = fmt::format("{}:{}", path, item.first.Mark().line + 1);
      if (!seen.insert(name).second) {
        return InvalidArgument(fmt::format("{}: {} is there twice", origin, name));
      }
      FACEGATE_RETURN_IF_ERROR(SetNode(name, item.second, origin, recipe));
    }
  }
  return OkStatus();
}

Status CheckRecipe(const Recipe& recipe) {
  const bool has_labels = !recipe.data.train.empty() || recipe.data.synthetic_identities > 0;
  if (!has_labels && recipe.data.unlabelled.empty()) {
    return InvalidArgument("data.train is empty: say what to train with");
  }
  if (!has_labels) return InvalidArgument("there is nothing with labels to train with");
  if (!recipe.data.unlabelled.empty() && recipe.teacher.empty()) {
    return InvalidArgument("data.unlabelled needs teacher.model");
  }
  if (recipe.blend > 0.0 && recipe.teacher.empty()) {
    return InvalidArgument("augment.blend needs teacher.model");
  }
  if (recipe.balanced && !recipe.data.unlabelled.empty()) {
    return InvalidArgument("data.balanced and data.unlabelled do not go together");
  }
  if (recipe.data.holdout_identities == 1) {
    return InvalidArgument("holdout.identities must be 0 or at least 2: pairs of two people");
  }
  if (recipe.data.evaluate_pairs.empty() != recipe.data.evaluate_photos.empty()) {
    return InvalidArgument("evaluate.pairs and evaluate.photos go together");
  }
  if (recipe.patience > 0 && recipe.data.holdout_identities == 0 &&
      recipe.data.evaluate_pairs.empty()) {
    return InvalidArgument("checkpoint.patience needs holdout.identities or evaluate.pairs");
  }
  if (recipe.checkpoint_every % recipe.training.accumulate != 0) {
    return InvalidArgument("checkpoint.every must be a multiple of optimizer.accumulate");
  }
  if (recipe.training_data.empty()) {
    return InvalidArgument(
        "card.training_data is empty: say what the photos are, who is in them and their terms");
  }
  return OkStatus();
}

Recipe Resolved(Recipe recipe) {
  namespace fs = std::filesystem;
  const fs::path root = fs::absolute(recipe.root.empty() ? "." : recipe.root);
  const auto resolve = [&](std::string& path) {
    if (!path.empty()) path = (root / path).lexically_normal().string();
  };
  for (std::string& path : recipe.data.train) resolve(path);
  for (std::string& path : recipe.data.unlabelled) resolve(path);
  resolve(recipe.data.leave_out);
  resolve(recipe.data.evaluate_pairs);
  resolve(recipe.data.evaluate_photos);
  resolve(recipe.teacher);
  recipe.root = root.lexically_normal().string();
  recipe.data.seed = recipe.training.seed;
  recipe.training.optimizer.base_rate = recipe.training.schedule.base;
  recipe.training.head.margin.gradient =
      recipe.gradient == "exact" ? MarginGradient::kExact : MarginGradient::kStraightThrough;
  if (recipe.threads == 0) {
    recipe.threads = std::max<int64_t>(1, std::thread::hardware_concurrency());
  }
  return recipe;
}

void ResolveSteps(int64_t batches_per_epoch, Recipe& recipe) {
  const int64_t accumulate = recipe.training.accumulate;
  const auto updates = [&](double epochs) { return Steps(epochs, batches_per_epoch) / accumulate; };
  ScheduleOptions& schedule = recipe.training.schedule;
  schedule.total = std::max<int64_t>(1, updates(recipe.epochs));
  schedule.warmup = std::min(schedule.total, updates(recipe.warmup));
  schedule.every = std::max<int64_t>(1, updates(recipe.step_every));
  schedule.tail = std::min(schedule.total - schedule.warmup, updates(recipe.tail));
  schedule.milestones.clear();
  for (const double epoch : recipe.milestones) schedule.milestones.push_back(updates(epoch));
  recipe.training.margin_warmup = Steps(recipe.margin_warmup, batches_per_epoch);
}

std::string RecipeToYaml(const Recipe& recipe) { return Render(recipe, false); }

std::string RecipeSummary(const Recipe& recipe) {
  Recipe own = Portable(recipe);
  Recipe defaults;
  std::string lines;
  for (const Key& key : Keys()) {
    if (key.name.starts_with("card.") || key.name.starts_with("machine.")) continue;
    const std::string value = std::visit(Writer{}, key.field(own));
    if (value == std::visit(Writer{}, key.field(defaults))) continue;
    lines += fmt::format("{}: {}\n", key.name, value);
  }
  return lines;
}

std::string RecipeHelp() { return Render(Recipe{}, true); }

}  // namespace facegate
