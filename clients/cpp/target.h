#pragma once

#include <optional>
#include <string>

namespace facegate {

// Says what is wrong with the address of a server, as a sentence, or nothing for HOST:PORT and for
// the other targets that gRPC knows by their scheme (dns:, ipv4:, ipv6:, unix:, unix-abstract:).
// The sentence does not repeat what may hold a password, such as https://user:password@host.
std::optional<std::string> WrongWithTarget(const std::string& target);

}  // namespace facegate
