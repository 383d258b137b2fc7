#pragma once

#include <gmock/gmock.h>

#include <string>

#include "face/base/status.h"

namespace facegate {

inline const Status& StatusOf(const Status& status) { return status; }
template <typename T>
const Status& StatusOf(const StatusOr<T>& result) {
  return result.status();
}

MATCHER(IsOk, "is OK") {
  *result_listener << StatusOf(arg).ToString();
  return StatusOf(arg).ok();
}

MATCHER_P(StatusIs, code, "has the status code " + ::testing::PrintToString(code)) {
  *result_listener << StatusOf(arg).ToString();
  return StatusOf(arg).code() == code;
}

MATCHER_P(RefusedWith, reason, "is refused with " + std::string(ReasonName(reason))) {
  *result_listener << StatusOf(arg).ToString();
  return ReasonOf(StatusOf(arg)) == reason;
}

}  // namespace facegate

// NOLINTBEGIN(bugprone-macro-parentheses): `lhs` may be a declaration.
// FACEGATE_ASSERT_OK_AND_ASSIGN(auto image, DecodeImage(...)); ends the test when the call fails.
#define FACEGATE_ASSERT_OK_AND_ASSIGN(lhs, expr) \
  FACEGATE_ASSERT_OK_AND_ASSIGN_IMPL(FACEGATE_CONCAT(facegate_result_, __LINE__), lhs, expr)
#define FACEGATE_ASSERT_OK_AND_ASSIGN_IMPL(result, lhs, expr) \
  auto result = (expr);                                       \
  ASSERT_TRUE(result.ok()) << result.status();                \
  lhs = std::move(result).value()
// NOLINTEND(bugprone-macro-parentheses)
