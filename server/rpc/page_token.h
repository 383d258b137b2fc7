#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "face/base/status.h"

namespace facegate {

// A page token tells where a list goes on, in the form that a client gives back: base64url (RFC
// 4648 section 5, no padding) of
//   token := version: byte 1, check: fixed32 (CRC-32C of `request` and `after`), after: bytes
// `request` is the list's method and what else names the list, so that a token fits the list that
// made it and no other. It protects from mistakes; it is no secret and no signature.
std::string MakePageToken(std::initializer_list<std::string_view> request, std::string_view after);

// The `after` of a token; empty for an empty token. kInvalidField at page_token for anything that
// MakePageToken() did not make for the same request.
StatusOr<std::string> ParsePageToken(std::initializer_list<std::string_view> request,
                                     std::string_view token);

}  // namespace facegate
