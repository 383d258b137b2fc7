#include "clients/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>

namespace facegate::cli {
namespace {

constexpr size_t kLeastColumns = 40;  // no table is readable in less
constexpr size_t kUsualColumns = 80;

// 0 when the variable is not set to a number.
size_t ColumnsOfEnvironment() {
  const char* const text = std::getenv("COLUMNS");
  if (text == nullptr) return 0;
  const std::string_view digits(text);
  size_t columns = 0;
  const auto [end, failure] =
      std::from_chars(digits.data(), digits.data() + digits.size(), columns);
  return failure == std::errc() && end == digits.data() + digits.size() ? columns : 0;
}

size_t ColumnsOfOutput() {
  if (::isatty(STDOUT_FILENO) != 1) return 0;
  winsize size{};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : kUsualColumns;
}

}  // namespace

Terminal ThisTerminal() {
  size_t columns = ColumnsOfEnvironment();
  if (columns == 0) columns = ColumnsOfOutput();
  if (columns > 0) columns = std::max(columns, kLeastColumns);
  return {.redraws = ::isatty(STDERR_FILENO) == 1, .columns = columns};
}

}  // namespace facegate::cli
