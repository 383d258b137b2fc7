#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

// These say what is wrong with a command line, in words that help.
namespace facegate::cli {

// The word of `known` that is most like `word`, such as "enroll" for "enrol", or nothing when none
// is so like it that it could be meant.
std::string MostLike(std::string_view word, const std::vector<std::string>& known);

// One line: what `error`, which app.parse() threw, says; for arguments that are not known, which
// they are, in the order in which they were given, and what was perhaps meant.
std::string DescribeUsageError(const CLI::App& app, const CLI::ParseError& error);

}  // namespace facegate::cli
