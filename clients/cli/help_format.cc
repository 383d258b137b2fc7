#include "clients/cli/help_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "clients/cli/table.h"

namespace facegate::cli {
namespace {

constexpr size_t kUsualHelpColumns = 80;
constexpr size_t kLeastDescription = 20;

}  // namespace

HelpFormat::HelpFormat(size_t columns) : columns_(columns == 0 ? kUsualHelpColumns : columns) {}

std::string HelpFormat::make_option_desc(const CLI::Option* option) const {
  const size_t names = get_column_width();
  const size_t width = std::max(kLeastDescription, columns_ - std::min(columns_, names));
  return fmt::format("{}", fmt::join(WrapText(option->get_description(), width), "\n"));
}

std::string HelpFormat::make_footer(const CLI::App* app) const {
  std::istringstream footer(app->get_footer());
  std::string text;
  std::string paragraph;
  const auto end_paragraph = [&] {
    if (paragraph.empty()) return;
    text += fmt::format("{}\n", fmt::join(WrapText(paragraph, columns_), "\n"));
    paragraph.clear();
  };
  for (std::string line; std::getline(footer, line);) {
    if (!line.empty() && line.front() != ' ') {
      paragraph += (paragraph.empty() ? "" : " ") + line;
      continue;
    }
    end_paragraph();
    text += line + "\n";
  }
  end_paragraph();
  return text;
}

}  // namespace facegate::cli
