#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>

namespace facegate {

// The help of all commands: CLI11's, with the descriptions of options broken into lines.
class HelpFormat : public CLI::Formatter {
 public:
  // `columns`: of the terminal; 0 means 80.
  explicit HelpFormat(size_t columns);
  std::string make_option_desc(const CLI::Option* option) const override;

 private:
  const size_t columns_;
};

}  // namespace facegate
