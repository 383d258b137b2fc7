#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <set>
#include <utility>

#include "face/base/catch.h"
#include "face/base/file.h"
#include "trainer/run/nearest_name.h"
#include "trainer/run/recipe.h"
#include "trainer/run/recipe_keys.h"

namespace facegate {
namespace {

constexpr uint64_t kMostRecipeBytes = 1 << 20;
constexpr std::string_view kAuto = "auto";

Status CheckNumber(const RecipeKey& key, double value, const std::string& origin) {
  if (key.range.Contains(value)) return OkStatus();
  return InvalidArgument(
      fmt::format("{}: {} is {:g}, must be {}", origin, key.name, value, RangeText(key.range)));
}

template <typename T>
Status ReadScalar(const RecipeKey& key, const YAML::Node& node, const std::string& origin,
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
Status ReadSequence(const RecipeKey& key, const YAML::Node& node, const std::string& origin,
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
  const RecipeKey& key;
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
        return InvalidArgument(fmt::format("{}: {} is \"{}\", must be one of {}{}", origin,
                                           key.name, text, fmt::join(all, ", "),
                                           MeantKey(text, all)));
      }
    }
    *out = std::move(text);
    return OkStatus();
  }
  Status operator()(double* out) const { return ReadScalar(key, node, origin, "a number", *out); }
  Status operator()(std::optional<double>* out) const {
    const bool is_own = node.IsNull() || (node.IsScalar() && node.Scalar() == kAuto);
    if (is_own) {
      out->reset();
      return OkStatus();
    }
    double number = 0.0;
    FACEGATE_RETURN_IF_ERROR(ReadScalar(key, node, origin, "a number or auto", number));
    *out = number;
    return OkStatus();
  }
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
  const auto found = std::find_if(RecipeKeys().begin(), RecipeKeys().end(),
                                  [&](const RecipeKey& key) { return key.name == name; });
  if (found == RecipeKeys().end()) {
    std::vector<std::string> known;
    known.reserve(RecipeKeys().size());
    for (const RecipeKey& key : RecipeKeys()) known.emplace_back(key.name);
    return InvalidArgument(
        fmt::format("{}: there is no key \"{}\"{} (facegate-train fit --help-recipe lists them)",
                    origin, name, MeantKey(name, known)));
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
  std::string operator()(const std::optional<double>* value) const {
    return value->has_value() ? fmt::format("{}", **value) : std::string(kAuto);
  }
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
  for (const RecipeKey& key : RecipeKeys()) {
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

// Leaves out the folders of this machine.
Recipe Portable(Recipe recipe) {
  namespace fs = std::filesystem;
  const std::string root = std::exchange(recipe.root, std::string());
  const auto shorten = [&](std::string& path) {
    const std::string below =
        root.empty() ? path : fs::path(path).lexically_relative(root).string();
    const bool inside = !below.empty() && !below.starts_with("..") && !below.starts_with("/");
    path = inside ? below : fs::path(path).filename().string();
  };
  for (std::string& path : recipe.data.train) shorten(path);
  for (std::string& path : recipe.data.unlabelled) shorten(path);
  for (std::string* const path : {&recipe.data.leave_out, &recipe.data.evaluate_pairs,
                                  &recipe.data.evaluate_photos, &recipe.teacher, &recipe.init}) {
    if (!path->empty()) shorten(*path);
  }
  return recipe;
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
std::string RecipeToYaml(const Recipe& recipe) { return Render(recipe, false); }

std::string RecipeSummary(const Recipe& recipe) {
  Recipe own = Portable(recipe);
  if (own.margin == DefaultMargin(own.training.head.margin.kind)) own.margin.reset();
  Recipe defaults;
  std::string lines;
  for (const RecipeKey& key : RecipeKeys()) {
    if (key.name.starts_with("card.") || key.name.starts_with("machine.")) continue;
    const std::string value = std::visit(Writer{}, key.field(own));
    if (value == std::visit(Writer{}, key.field(defaults))) continue;
    lines += fmt::format("{}: {}\n", key.name, value);
  }
  return lines;
}

std::string RecipeHelp() { return Render(Recipe{}, true); }

}  // namespace facegate
