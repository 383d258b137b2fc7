#include "server/rpc/listen_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>

namespace facegate {

StatusOr<ListenAddress> ParseListenAddress(std::string_view text) {
  const Status refusal = InvalidArgument(
      fmt::format("\"{}\" is not host:port, such as 127.0.0.1:50051 or [::1]:0", text));
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return refusal;

  std::string_view host = text.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return refusal;  // IPv6 without brackets: the port cannot be told from the address
  }
  const std::string_view digits = text.substr(colon + 1);
  int port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  const bool is_number = error == std::errc() && end == digits.data() + digits.size();
  if (host.empty() || !is_number || port < 0 || port > 65535) return refusal;
  return ListenAddress{std::string(host), port};
}

bool IsLoopback(const ListenAddress& address) {
  if (address.host == "localhost") return true;
  in_addr v4{};
  if (inet_pton(AF_INET, address.host.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, address.host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

std::string ToString(const ListenAddress& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", address.host, v6 ? "]" : "", address.port);
}

}  // namespace facegate
