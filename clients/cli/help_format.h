#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>

namespace facegate::cli {

// The help of all commands: CLI11's, with the text broken into lines that fit. Of a footer, lines
// that begin with a space stay as they are; the others are running text up to an empty line.
class HelpFormat : public CLI::Formatter {
 public:
  // `columns`: of the terminal; 0 means 80.
  explicit HelpFormat(size_t columns);
  std::string make_option_desc(const CLI::Option* option) const override;
  std::string make_footer(const CLI::App* app) const override;

 private:
  const size_t columns_;
};

}  // namespace facegate::cli
