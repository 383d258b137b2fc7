#include "clients/cpp/target.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace facegate {
namespace {

constexpr std::array<std::string_view, 5> kGrpcSchemes = {
    "dns:", "ipv4:", "ipv6:", "unix:", "unix-abstract:"};
constexpr int kDefaultPort = 50051;
constexpr int kMaxPort = 65535;

// 0 for what is not a port's number.
int PortOf(std::string_view text) {
  int port = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool whole = failure == std::errc() && end == text.data() + text.size();
  return whole && port >= 1 && port <= kMaxPort ? port : 0;
}

// Returns what HOST:PORT the URL probably means.
std::string SuggestionFor(std::string_view url) {
  // A password may hold any sign, so that the user info is what comes before the last '@'.
  const size_t at = url.rfind('@');
  std::string_view rest = url.substr(at == std::string_view::npos ? url.find("://") + 3 : at + 1);
  rest = rest.substr(0, rest.find_first_of("/?# \t\r\n"));
  if (rest.empty()) return fmt::format("127.0.0.1:{}", kDefaultPort);
  const size_t colon = rest.rfind(':');
  const bool has_port = colon != std::string_view::npos && PortOf(rest.substr(colon + 1)) != 0;
  return has_port ? std::string(rest) : fmt::format("{}:{}", rest, kDefaultPort);
}

std::string Expected(std::string_view suggestion) {
  return fmt::format("expected HOST:PORT, such as {}", suggestion);
}

}  // namespace

std::optional<std::string> WrongWithTarget(const std::string& target) {
  const std::string usual = fmt::format("127.0.0.1:{}", kDefaultPort);
  if (target.empty()) return "the server's address is empty; " + Expected(usual);
  if (target.find_first_of(" \t\r\n") != std::string::npos) {
    return "the server's address has a space in it; " + Expected(usual);
  }
  if (std::any_of(kGrpcSchemes.begin(), kGrpcSchemes.end(),
                  [&](std::string_view scheme) { return target.starts_with(scheme); })) {
    return std::nullopt;
  }
  if (target.find("://") != std::string::npos) {
    return "the server's address is a URL; " + Expected(SuggestionFor(target));
  }
  if (target.find('@') != std::string::npos) {
    return "the server's address has a user name; " + Expected(SuggestionFor(target));
  }
  if (const size_t slash = target.find('/'); slash != std::string::npos) {
    return "the server's address has a path; " +
           Expected(SuggestionFor("://" + target.substr(0, slash)));
  }
  const size_t colon = target.rfind(':');
  const bool bracketed = target.starts_with('[');
  if (!bracketed && std::count(target.begin(), target.end(), ':') > 1) {
    return fmt::format("{} is an IPv6 address without brackets; {}", target,
                       Expected(fmt::format("[::1]:{}", kDefaultPort)));
  }
  if (colon == std::string::npos || (bracketed && target.ends_with(']'))) {
    return fmt::format("{} has no port; {}", target,
                       Expected(fmt::format("{}:{}", target, kDefaultPort)));
  }
  if (colon == 0) {
    return fmt::format("{} has no host; {}", target, Expected("127.0.0.1" + target));
  }
  if (PortOf(std::string_view(target).substr(colon + 1)) == 0) {
    return fmt::format("'{}' is not a port (1 to {}); {}", target.substr(colon + 1), kMaxPort,
                       Expected(usual));
  }
  return std::nullopt;
}

}  // namespace facegate
