#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include <optional>
#include <set>
#include <utility>

#include "face/base/catch.h"
#include "face/base/file.h"
#include "trainer/run/recipe.h"
#include "trainer/run/recipe_keys.h"

namespace facegate {
namespace {

constexpr uint64_t kMostRecipeBytes = 1 << 20;

// Gives a value the one spelling that keys take, where YAML has more: "yes" for true, 0x10 for 16,
// .inf for inf.
std::string PlainText(const Key& key, const YAML::Node& node) {
  bool flag = false;
  int64_t whole = 0;
  double number = 0.0;
  switch (key.kind()) {
    case KeyKind::kSwitch:
      if (YAML::convert<bool>::decode(node, flag)) return fmt::format("{}", flag);
      break;
    case KeyKind::kWholeNumber:
      if (YAML::convert<int64_t>::decode(node, whole)) return fmt::format("{}", whole);
      break;
    case KeyKind::kNumber:
      if (YAML::convert<double>::decode(node, number)) return fmt::format("{}", number);
      break;
    case KeyKind::kText:
      break;
  }
  return node.Scalar();
}

// Gives the texts of a value for Key::Set(), and nothing where the key cannot have such a value.
std::optional<std::vector<std::string>> TextsOf(const Key& key, const YAML::Node& node) {
  std::vector<std::string> texts;
  if (key.is_list() && node.IsSequence()) {
    for (const YAML::Node& one : node) {
      if (!one.IsScalar()) return std::nullopt;
      texts.push_back(PlainText(key, one));
    }
    return texts;
  }
  const bool is_empty = node.IsNull() || (node.IsScalar() && node.Scalar().empty());
  if (key.is_list() && is_empty) return texts;
  if (node.IsNull() && key.may_be_auto()) return std::vector<std::string>{"auto"};
  if (node.IsNull() && key.kind() == KeyKind::kText) return std::vector<std::string>{""};
  if (!node.IsScalar()) return std::nullopt;
  texts.push_back(PlainText(key, node));
  return texts;
}

// Says "data.batch is 1, must be 2 to 65536" and the like.
std::string Describe(const Key& key, const KeyFault& fault) {
  const std::string& allowed = key.limits().text;
  switch (fault.reason) {
    case KeyFault::Reason::kWrongKind:
      break;
    case KeyFault::Reason::kOutOfRange:
      return fmt::format("{} is {}, must be {}", key.name(), fault.text, allowed);
    case KeyFault::Reason::kNoChoice:
      return fmt::format("{} is \"{}\", must be one of {}{}", key.name(), fault.text, allowed,
                         key.MeantChoice(fault.text));
  }
  return fmt::format("{} must be {}", key.name(), key.KindText());
}

Status SetNode(std::string_view name, const YAML::Node& node, const std::string& origin,
               Recipe& recipe) {
  if (name == kBf16Key) {
    bool on = false;
    if (!YAML::convert<bool>::decode(node, on)) {
      return InvalidArgument(fmt::format("{}: {} must be true or false", origin, kBf16Key));
    }
    recipe.network.precision = PrecisionWithBf16(on);
    return OkStatus();
  }
  const KeyTable keys = RecipeKeys(recipe);
  const Key* const key = keys.Find(name);
  if (key == nullptr) {
    return InvalidArgument(
        fmt::format("{}: there is no key \"{}\"{} (facegate-train fit --help-recipe lists them)",
                    origin, name, keys.MeantKey(name)));
  }
  std::optional<KeyFault> fault = KeyFault{.reason = KeyFault::Reason::kWrongKind, .text = ""};
  if (const auto texts = TextsOf(*key, node)) fault = key->Set(*texts);
  if (!fault) return OkStatus();
  return InvalidArgument(fmt::format("{}: {}", origin, Describe(*key, *fault)));
}

// A text that YAML reads back as itself.
std::string Quoted(const std::string& text) {
  YAML::Emitter emitter;
  emitter << YAML::DoubleQuoted << text;
  return emitter.c_str();
}

std::string ValueAsYaml(const Key& key) {
  std::vector<std::string> texts = key.Texts();
  if (key.kind() == KeyKind::kText) {
    for (std::string& text : texts) text = Quoted(text);
  }
  return key.is_list() ? fmt::format("[{}]", fmt::join(texts, ", ")) : texts.front();
}

std::string Render(Recipe recipe, bool with_sentences) {
  std::string yaml;
  std::string_view section;
  for (const Key& key : RecipeKeys(recipe)) {
    const size_t dot = key.name().find('.');
    if (const std::string_view own = key.name().substr(0, dot); own != section) {
      section = own;
      yaml += fmt::format("{}{}:\n", yaml.empty() ? "" : "\n", section);
    }
    if (with_sentences) {
      const std::string& allowed = key.limits().text;
      yaml += fmt::format("  # {}{}\n", key.sentence(),
                          allowed.empty() ? "" : fmt::format(" [{}]", allowed));
    }
    yaml += fmt::format("  {}: {}\n", key.name().substr(dot + 1), ValueAsYaml(key));
  }
  return yaml;
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

std::string RecipeToYaml(Recipe recipe) { return Render(std::move(recipe), false); }

std::string RecipeSummary(const Recipe& spelled_out) {
  Recipe own = WithoutFolders(spelled_out);
  if (own.head.margin == DefaultMargin(own.head.kind)) own.head.margin.reset();
  Recipe defaults;
  const KeyTable unchanged = RecipeKeys(defaults);
  std::string lines;
  for (const Key& key : RecipeKeys(own)) {
    if (key.name().starts_with("card.") || key.name().starts_with("machine.")) continue;
    const std::string value = ValueAsYaml(key);
    if (value == ValueAsYaml(*unchanged.Find(key.name()))) continue;
    lines += fmt::format("{}: {}\n", key.name(), value);
  }
  return lines;
}

std::string RecipeHelp() { return Render(Recipe{}, true); }

}  // namespace facegate
