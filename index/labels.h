#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "face/base/status.h"

namespace facegate {

// A client's own data about an identity, by key.
using Labels = std::map<std::string, std::string, std::less<>>;

inline constexpr size_t kMaxLabels = 64;  // of one identity
inline constexpr size_t kMaxLabelValueBytes = 256;

// True when `key` matches [a-z][a-z0-9._-]{0,62}.
bool IsLabelKey(std::string_view key);

// kInvalidField at "labels" unless it is at most kMaxLabels.
Status CheckLabelCount(size_t count);

// kInvalidField at "labels" unless there are at most kMaxLabels with valid keys, and values of
// UTF-8 (RFC 3629) of at most kMaxLabelValueBytes, without control characters and without invisible
// ones that change how a text is shown or compared: marks of direction and of formatting (Unicode's
// category Cf), line and paragraph separators. The two joiners U+200C and U+200D are allowed: words
// of some languages, and emoji, are written with them. The message repeats neither keys nor values.
Status CheckLabels(const Labels& labels);
// The same but for the invisible characters, which records of earlier versions may have.
Status CheckStoredLabels(const Labels& labels);

}  // namespace facegate
