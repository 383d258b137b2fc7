#include "clients/cli/usage_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "face/base/did_you_mean.h"

namespace facegate::cli {
namespace {

// "enrolment" begins as "enroll" does.
bool BeginAlike(std::string_view a, std::string_view b) {
  constexpr size_t kLeast = 4;
  const size_t shared = std::min({a.size(), b.size(), kLeast});
  return shared == kLeast && a.substr(0, kLeast) == b.substr(0, kLeast);
}

// The command that was chosen last, or the program.
const CLI::App& Deepest(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? app : Deepest(*chosen.front());
}

std::vector<std::string> CommandNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

void AddOptionNames(const CLI::App& app, std::vector<std::string>& names) {
  for (const CLI::Option* option : app.get_options([](const CLI::Option*) { return true; })) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
}

std::string Meant(const std::string& suggestion) {
  return suggestion.empty() ? "" : fmt::format("; did you mean {}?", suggestion);
}

bool IsOption(std::string_view word) { return word.size() > 1 && word.starts_with('-'); }

std::string DescribeUnknown(const CLI::App& app, const std::vector<std::string>& unknown) {
  const CLI::App& chosen = Deepest(app);
  const auto option = std::find_if(unknown.begin(), unknown.end(), IsOption);
  if (option == unknown.end() && chosen.get_require_subcommand_min() > 0) {
    const std::vector<std::string> names = CommandNames(chosen);
    const std::string suggestion = MostLike(unknown.front(), names);
    return fmt::format("there is no command '{}'{}", unknown.front(),
                       suggestion.empty()
                           ? fmt::format("; the commands are {}", fmt::join(names, ", "))
                           : Meant(suggestion));
  }
  std::string text = fmt::format("{} not known: {}",
                                 unknown.size() == 1 ? "this argument is" : "these arguments are",
                                 fmt::join(unknown, " "));
  if (option == unknown.end()) return text;
  std::vector<std::string> names;
  AddOptionNames(chosen, names);
  if (&chosen != &app) AddOptionNames(app, names);
  return text + Meant(MostLike(option->substr(0, option->find('=')), names));
}

}  // namespace

std::string MostLike(std::string_view word, const std::vector<std::string>& known) {
  // A third of the letters may be wrong.
  const size_t most = std::max<size_t>(1, word.size() / 3);
  std::string best;
  size_t least = most + 1;
  for (const std::string& candidate : known) {
    size_t distance = EditDistance(word, candidate);
    const bool stem = !IsOption(word) && BeginAlike(word, candidate);
    if (stem) distance = std::min(distance, most);
    if (distance < least) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

std::string DescribeUsageError(const CLI::App& app, const CLI::ParseError& error) {
  const std::vector<std::string> unknown = app.remaining(true);
  if (!unknown.empty()) return DescribeUnknown(app, unknown);
  if (error.get_name() == "RequiredError") {
    const CLI::App& chosen = Deepest(app);
    if (chosen.get_require_subcommand_min() > 0) {
      return fmt::format("a command is missing; the commands are {}",
                         fmt::join(CommandNames(chosen), ", "));
    }
  }
  return error.what();
}

}  // namespace facegate::cli
