#include "clients/cli/help_format.h"

#include <fmt/format.h>

#include <algorithm>

#include "clients/cli/table.h"

namespace facegate {
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

}  // namespace facegate
